"""A TCP proxy before PostgreSQL that cuts a connection at the worst moment: around the request that commits."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

COMMIT = b"COMMIT\0"  # the end of a simple query


class Cut(Enum):
    """Where the line breaks, once."""

    NEVER = 0
    BEFORE_REQUEST = 1  # the server never sees it
    AFTER_REQUEST = 2  # the server has it, nobody waits for the answer
    BEFORE_ANSWER = 3  # the server has answered, the client does not see it


class CuttingProxy:
    """Forwards to the server of a URL; `url` leads through it. `cut` breaks the line at the next COMMIT."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}"))
        self.cut = Cut.NEVER
        self._swallow = False
        self._sockets: list[socket.socket] = [self._listener]
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        _end(*self._sockets)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            self._sockets += [client, server]
            for source, target in ((client, server), (server, client)):
                thread = threading.Thread(target=self._forward, args=(source, target, source is client))
                self._threads.append(thread)
                thread.start()

    def _forward(self, source: socket.socket, target: socket.socket, requests: bool) -> None:
        with suppress(OSError):  # one side has gone, and so must the other
            while data := source.recv(1 << 16):
                if requests and self.cut in (Cut.BEFORE_REQUEST, Cut.AFTER_REQUEST) and COMMIT in data:
                    if self.cut == Cut.AFTER_REQUEST:
                        target.sendall(data)
                    self.cut = Cut.NEVER
                    break
                if requests and self.cut == Cut.BEFORE_ANSWER and COMMIT in data:
                    self._swallow = True
                elif not requests and self._swallow:
                    self.cut, self._swallow = Cut.NEVER, False
                    break
                target.sendall(data)
        _end(source, target)


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):  # it is closed already
            each.shutdown(socket.SHUT_RDWR)
        each.close()
