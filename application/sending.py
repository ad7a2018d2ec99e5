"""The ports by which notices leave: a mail server, and whoever listens at a webhook. Both answer, neither raises."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Mail(NamedTuple):
    """One notice for one person. `id` is the same at each try."""

    id: str
    to: str
    language: str
    subject: str
    text: str
    html: str


class Hook(NamedTuple):
    """One notice for one webhook. `id` is the notice's at each try; `sent_at` in whole seconds since the epoch."""

    id: str
    url: str
    secret: bytes
    body: bytes
    sent_at: int


class Answer(NamedTuple):
    """What the other side said, in one line. `final`: it will never take this, or there is nobody to take it."""

    delivered: bool
    text: str
    final: bool = False


class MailServer(Protocol):
    """Takes mails. Bounded in time."""

    def send(self, mails: Sequence[Mail]) -> list[Answer]:
        """An answer for each in order; those at the end that were not tried have none, at least one was."""
        ...


class HookSender(Protocol):
    """Posts to webhooks. Bounded in time and in what it reads."""

    def send(self, hook: Hook) -> Answer:
        """What came of it."""
        ...

    def check(self, url: str) -> None:
        """Whether it could be reached as things are. Raises Invalid `invalid_url`, Refused `webhook_not_allowed`."""
        ...
