"""Real receivers of notices: a mail server and an HTTP server, which answer as the test wants and keep what came."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec
from aiosmtpd.controller import Controller

HOST = "127.0.0.1"


class MailBox:
    """What a mail server has taken. `answer` decides by the recipient; `250` takes it. It may take its time: others are
    answered meanwhile.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.answer: Callable[[str], str] = lambda recipient: "250 OK"
        self.logins: list[tuple[bytes, bytes]] = []
        self.url = ""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Called by aiosmtpd for each recipient."""
        answer = await asyncio.to_thread(self.answer, address)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Called by aiosmtpd for each mail."""
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return "250 taken"

    def parts(self, place: int = -1) -> tuple[str, str]:
        """Text and HTML of a mail."""
        text, html = (self.mails[place].get_body((kind,)) for kind in ("plain", "html"))
        assert text is not None
        assert html is not None
        return text.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


class _Anywhere(Controller):
    """On a port that is free."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(**options: Any) -> Iterator[MailBox]:
    """A server that listens on a free port."""
    box = MailBox()
    controller = _Anywhere(box, hostname=HOST, port=0, **options)
    controller.start()
    try:
        box.url = f"smtp://{HOST}:{controller.port}"
        yield box
    finally:
        controller.stop()


class Post(NamedTuple):
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its document."""
        return msgspec.json.decode(self.body)


class Receiver:
    """An HTTP server. `answer` gets the handler and answers the status; it may do what it wants before."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answer: Callable[[BaseHTTPRequestHandler], int] = lambda handler: 200
        self.url = ""
        self.release = threading.Event()  # set at the end: whoever waits in an answer goes on


class _Server(ThreadingHTTPServer):
    """Keeps quiet about clients that go away."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What a client has broken off is the test's to look at."""


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """One that listens on a free port."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posts.append(Post(self.path, {name.lower(): text for name, text in self.headers.items()}, body))
            status = kept.answer(self)
            if status:
                self.send_response(status)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"said")

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - http.server's name
            """Tests keep quiet."""

    server = _Server((HOST, 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    kept.url = f"{'https' if tls else 'http'}://{HOST}:{server.server_address[1]}/hook"
    try:
        yield kept
    finally:
        kept.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
