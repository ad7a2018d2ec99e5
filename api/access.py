"""Who may ask: `Authorization: Bearer TOKEN`, but for what customers, providers and health checks need.

Without a token (then `serve` listens on loopback alone) nothing is needed, but the request must be for this machine: a
page in a browser could otherwise reach it under a name of its own.
"""

from hmac import compare_digest
from ipaddress import ip_address
from typing import Final

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Fault

OPEN: Final = ("/health/", "/pay/", "/providers/")
_BEARER: Final = b"bearer "


class Access:
    """Wraps an ASGI application; `token` None: only what is addressed to this machine by its own name."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, or answer 401."""
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith(OPEN) or self._may(dict(scope["headers"])):
            await self._app(scope, receive, send)
            return
        text = "send the API token: Authorization: Bearer TOKEN"
        if self._token is None:
            text = "without an API token only this machine may ask, by the name localhost or a loopback address"
        await _refuse(send, Fault(401, "unauthorized", text))

    def _may(self, headers: dict[bytes, bytes]) -> bool:
        if self._token is None:
            return is_loopback(_host(headers.get(b"host", b"").decode("latin-1")))
        given = headers.get(b"authorization", b"")
        return given[: len(_BEARER)].lower() == _BEARER and compare_digest(given[len(_BEARER) :].strip(), self._token)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _host(header: str) -> str:
    """Without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


async def _refuse(send: Send, fault: Fault) -> None:
    body = msgspec.json.encode(fault.shape())
    headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
    start: Message = {
        "type": "http.response.start",
        "status": fault.status,
        "headers": [*headers, (b"content-length", str(len(body)).encode())],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
