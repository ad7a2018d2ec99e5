"""Webhooks: a POST signed as Standard Webhooks define (https://www.standardwebhooks.com), to a public address only.

Headers `webhook-id`, `webhook-timestamp` (seconds), `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over
`id.timestamp.body` under the secret's bytes. 2xx is taken for delivered; redirects are not followed; 410 is final.
The whole exchange has one deadline, the look-up of the name included: a receiver that trickles its answer is given up,
too.
"""

import hmac
import http.client
import io
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from adapters.addresses import Guard, NotAllowed
from adapters.lookups import NotLookedUp
from application.sending import Answer, Hook
from domain.errors import Invalid, Refused

SECONDS: Final = 10.0
ANSWER_BYTES: Final = 1 << 16  # headers and body together
SHOWN_CHARACTERS: Final = 200
GONE: Final = 410
_PORTS: Final = {"http": 80, "https": 443}


class _TooMuch(Exception):
    """The receiver says more than anybody wants to know."""


def signature(secret: bytes, message_id: str, sent_at: int, body: bytes) -> str:
    """The header's value; `sent_at` in seconds."""
    signed = hmac.digest(secret, f"{message_id}.{sent_at}.".encode() + body, "sha256")
    return "v1," + b64encode(signed).decode()


class Webhooks:
    """`application.sending.HookSender`. `allowed`: networks of one's own that may be reached."""

    def __init__(self, allowed: Sequence[str], seconds: float = SECONDS) -> None:
        self._guard, self._seconds = Guard(allowed), seconds

    def check(self, url: str) -> None:
        """Raises Invalid `invalid_url`, Refused `webhook_not_allowed`; a name that has no address now may have one."""
        host, port, _ = _place(url)
        try:
            self._guard.resolve(host, port, time.monotonic() + self._seconds)
        except NotAllowed as error:
            raise Refused("webhook_not_allowed", str(error), "url") from error
        except OSError:
            return

    def send(self, hook: Hook) -> Answer:
        """One try."""
        try:
            return self._send(hook)
        except NotAllowed as error:
            return Answer(False, f"not sent: {error}")
        except NotLookedUp as error:
            return Answer(False, f"not sent within {self._seconds:g} s: {error}")
        except socket.gaierror as error:
            return Answer(False, f"not sent: the look-up of {_place(hook.url)[0]} says: {error.strerror}")
        except TimeoutError:
            return Answer(False, f"no answer within {self._seconds:g} s")
        except _TooMuch:
            return Answer(False, f"its answer is longer than {ANSWER_BYTES} bytes")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(False, _line(f"{type(error).__name__}: {error}"))

    def _send(self, hook: Hook) -> Answer:
        end = time.monotonic() + self._seconds
        host, port, target = _place(hook.url)
        with self._connect(hook.url, host, port, end) as connection:
            connection.settimeout(_left(end))
            connection.sendall(_request(hook, host, port, target))
            answer = http.client.HTTPResponse(_Bounded(connection, end))  # type: ignore[arg-type]
            try:
                answer.begin()
                shown = _line(f"{answer.status} {answer.reason} {_excerpt(answer)}")
            finally:
                answer.close()
        if 200 <= answer.status < 300:
            return Answer(True, shown)
        return Answer(False, shown, answer.status == GONE)

    def _connect(self, url: str, host: str, port: int, end: float) -> socket.socket:
        """To an address that was looked at, whatever the name may lead to meanwhile."""
        trouble: OSError | None = None
        for address in self._guard.resolve(host, port, end)[:3]:
            try:
                connection = socket.create_connection((address, port), _left(end))
            except OSError as error:
                trouble = error
                continue
            if not url.lower().startswith("https:"):
                return connection
            try:
                connection.settimeout(_left(end))
                return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
            except BaseException:
                connection.close()
                raise
        raise trouble or OSError(f"{host} has no address")


class _Bounded(io.RawIOBase):
    """What a socket answers, until the deadline and no more than ANSWER_BYTES."""

    def __init__(self, connection: socket.socket, end: float) -> None:
        super().__init__()
        self._connection, self._end, self._left = connection, end, ANSWER_BYTES

    def makefile(self, mode: str) -> io.BufferedReader:
        """As a socket has it."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._end))
        count = self._connection.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise _TooMuch
        return count


def _excerpt(answer: http.client.HTTPResponse) -> str:
    """How the body begins. What matters is the status, which is there: trouble from here on changes nothing."""
    try:
        return answer.read1(SHOWN_CHARACTERS).decode(errors="replace")
    except (OSError, http.client.HTTPException, _TooMuch):
        return ""


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _place(url: str) -> tuple[str, int, str]:
    """Host, port, and what is asked for there. Raises Invalid `invalid_url`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # a label that no name can have is a ValueError, too
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    written = url.isascii() and url.isprintable() and " " not in url
    if not written or parts.scheme not in _PORTS or not host or parts.username is not None or port == 0:
        text = (
            "a webhook is http:// or https:// with a host that can be, any port from 1 to 65535, and without user,"
            " spaces and signs that are no ASCII"
        )
        raise Invalid("invalid_url", text, "url")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return host, port or _PORTS[parts.scheme], target


def _request(hook: Hook, host: str, port: int, target: str) -> bytes:
    shown, usual = f"[{host}]" if ":" in host else host, _PORTS[urlsplit(hook.url).scheme]
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {shown}" if port == usual else f"Host: {shown}:{port}",
        "User-Agent: commcredits",
        "Content-Type: application/json",
        f"Content-Length: {len(hook.body)}",
        f"webhook-id: {hook.id}",
        f"webhook-timestamp: {hook.sent_at}",
        f"webhook-signature: {signature(hook.secret, hook.id, hook.sent_at, hook.body)}",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + hook.body


def _line(text: str) -> str:
    """One line of what came, for people."""
    text = " ".join(text.split())
    return "".join(each if each.isprintable() else "\ufffd" for each in text)[:SHOWN_CHARACTERS]
