"""`serve` as a process, and requests to it."""

from __future__ import annotations

import http.client
import json
import signal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.support.consumers import Process
from tests.support.shop import Shop
from tests.support.waiting import wait_until


class Reply(NamedTuple):
    """What HTTP answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The document."""
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str, str | None]:
        """Status, code and field of a failure."""
        shown = self.json["error"]
        assert list(shown) == ["code", "message", "field", "source"]
        return self.status, shown["code"], shown["field"]


class Serving:
    """One `serve` on a shop's store."""

    def __init__(self, shop: Shop, *arguments: str, **settings: str) -> None:
        self.process: Process = shop.start("serve", "--port", "0", *arguments, **settings)
        assert self.process.process.stdout is not None
        line = self.process.process.stdout.readline()
        assert line, self.process.log.read_text()
        self.url: str = json.loads(line)["url"]
        wait_until(lambda: self.get("/health/ready").status == 200, what="serve is ready")

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request on a connection of its own; a body that is no bytes is sent as JSON."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, content, named)
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        return self.ask("POST", path, body, **headers)

    def authorize(self, account: str, body: Any, **headers: str) -> Reply:
        return self.post(f"/v1/accounts/{account}/authorize", body, **headers)

    def stop(self) -> int:
        """SIGTERM; answers the exit code."""
        self.process.process.send_signal(signal.SIGTERM)
        return self.process.process.wait(30)
