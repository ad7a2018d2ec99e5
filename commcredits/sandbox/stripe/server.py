"""The sandbox as a server on loopback."""

from __future__ import annotations

import inspect
import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from commcredits.sandbox.stripe import pages
from commcredits.sandbox.stripe.api import Api, Cut, Request, Response
from commcredits.sandbox.stripe.control import Control
from commcredits.sandbox.stripe.errors import ApiError
from commcredits.sandbox.stripe.faults import Faults
from commcredits.sandbox.stripe.state import State
from commcredits.sandbox.stripe.webhooks import Webhooks, new_secret

API_KEY: Final = "sk_test_sandbox"


class StripeSandbox:
    """`with StripeSandbox() as sandbox:` serves on `sandbox.url`. `port` 0: any that is free.

    `control` does in process what `POST /_control/…` does.
    """

    def __init__(self, port: int = 0, webhook_secret: str = "") -> None:
        self.webhook_secret = webhook_secret or new_secret()
        self.api_key = API_KEY
        self.state, faults, self._closing = State(), Faults(), threading.Event()
        self.webhooks = Webhooks(self.webhook_secret)
        self.state.on_event = self.webhooks.on_event
        self.api = Api(self.state, faults, self._closing)
        self.control = Control(self.state, self.api, faults, self.webhooks)
        self._server = _Server(("127.0.0.1", port), self)
        self.url = self.state.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="sandbox-stripe", daemon=True
        )

    def start(self) -> Self:
        """Serve from now on."""
        self._thread.start()
        return self

    def close(self) -> None:
        """End every connection; what was kept is lost."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.webhooks.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], sandbox: StripeSandbox) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)  # where the port is taken this closes again what it has not opened

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            with suppress(OSError):  # its client has gone
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is none of ours."""
        with suppress(ConnectionError):
            raise


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        """Requests are kept by the API, and shown by `/_control/requests`."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        sandbox = self.server.sandbox
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        if url.path.startswith("/v1/"):
            form = body if method == "POST" else url.query
            authorization = self.headers.get("Authorization", "")
            key = self.headers.get("Idempotency-Key", "")
            try:
                self._send(sandbox.api.answer(Request(method, url.path, form, authorization, key)))
            except Cut:
                self.close_connection = True
        elif url.path.startswith("/_control"):
            self._send(_control(sandbox.control, url.path.removeprefix("/_control").strip("/"), method, body))
        else:
            with sandbox.state.lock:
                page = (
                    pages.post(sandbox.state, url.path, body)
                    if method == "POST"
                    else pages.show(sandbox.state, url.path)
                )
            headers = {"Content-Type": "text/html; charset=utf-8"} | (
                {"Location": page.location} if page.location else {}
            )
            self._send(Response(page.status, page.html.encode(), headers))

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)


def _control(control: Control, name: str, method: str, body: str) -> Response:
    """`{"result": …}`; without a name, what there is."""
    known = {each: getattr(control, each) for each in dir(Control) if not each.startswith("_")}
    if not name:
        return _json(200, {each: _described(run) for each, run in known.items()})
    if name not in known:
        return _json(404, {"error": f"no {name}; GET /_control lists what there is"})
    if method == "GET" and name not in ("ledger", "requests", "deliveries", "faults_left"):
        return _json(405, {"error": f"{name} is asked for by POST"})
    try:
        return _json(200, {"result": known[name](**(json.loads(body) if body else {}))})
    except ApiError as error:
        return _json(error.status, error.body())
    except (TypeError, ValueError) as error:
        return _json(400, {"error": str(error)})


def _described(run: Callable[..., Any]) -> dict[str, Any]:
    """What it does, and its parameters, each with what it is where none is given."""
    given = inspect.signature(run).parameters.values()
    takes = {each.name: "needed" if each.default is each.empty else each.default for each in given}
    return {"does": " ".join((run.__doc__ or "").split()), "takes": takes}


def _json(status: int, value: Any) -> Response:
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
