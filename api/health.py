"""`/health/live` and `/health/ready`: for whoever starts, watches and replaces the process."""

from typing import Protocol

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from api.errors import not_ready
from domain.event import LOG


class Book(Protocol):
    """What follows the log."""

    @property
    def position(self) -> int:
        """How far it has got in the log."""
        ...

    @property
    def trouble(self) -> str:
        """Why it is not up to the log; empty where it is."""
        ...


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str


class Ready(msgspec.Struct, frozen=True):
    """It is up to the log."""

    status: str
    log: str
    position: int


def health(book: Book) -> list[HTTPRouteHandler]:
    """The routes."""

    @get("/health/live", sync_to_thread=False, tags=["health"], security=[])
    def live() -> Live:
        """Whether the process answers."""
        return Live("live")

    @get("/health/ready", sync_to_thread=False, tags=["health"], security=[])
    def ready() -> Ready:
        """Whether it may be asked: 503 `not_ready` before it has read the log, and while the store is away."""
        if trouble := book.trouble:
            raise not_ready(trouble)
        return Ready("ready", LOG, book.position)

    return [live, ready]
