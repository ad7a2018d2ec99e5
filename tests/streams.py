"""Byte streams that hold no bytes: large input without a large file."""

from __future__ import annotations

import io
from typing import IO, cast


class _Repeated(io.RawIOBase):
    def __init__(self, start: bytes, chunk: bytes, times: int, end: bytes = b"") -> None:
        super().__init__()
        self._parts = [start, end]
        self._chunk, self._times, self._rest = chunk, times, b""

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = self._next()
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def read(self, size: int = -1) -> bytes:
        return self.read1(size)

    def _next(self) -> bytes:
        if len(self._parts) == 2 and self._parts[0]:
            return self._parts.pop(0)
        if self._times:
            self._times -= 1
            return self._chunk
        return self._parts.pop() if self._parts else b""


def repeated(start: bytes, chunk: bytes, times: int, end: bytes = b"") -> IO[bytes]:
    """`start`, then `chunk` so many times, then `end`; a stream that cannot seek, as a pipe cannot."""
    return cast("IO[bytes]", _Repeated(start, chunk, times, end))
