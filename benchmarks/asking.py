"""A steady stream of questions to `serve`: each is due at an instant that depends on no other, and asked then or late.

An answer is measured from when its question was due, not from when it was sent: a client that was late hides nothing.
"""

import asyncio
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final
from urllib.parse import urlsplit

import uvloop

CONNECTIONS: Final = 32
WARMING: Final = 6  # the first of so many parts is not counted

Asked = tuple[str, bytes]  # account, body


def request(host: str, account: str, body: bytes) -> bytes:
    """As it goes over the wire."""
    head = f"POST /v1/accounts/{account}/authorize HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def ask(url: str, questions: Sequence[Asked], rate: int, seconds: int, answers: Connection) -> None:
    """In a process of its own; tells the milliseconds of each answer but the first ones, sorted."""
    answers.send(uvloop.run(_ask(urlsplit(url).netloc, questions, rate, seconds)))


async def _ask(host: str, questions: Sequence[Asked], rate: int, seconds: int) -> list[float]:
    begun = time.perf_counter() + 0.1
    every = [
        _connection(host, questions, begun, range(first, rate * seconds, CONNECTIONS), rate)
        for first in range(CONNECTIONS)
    ]
    took = [number_took for each in await asyncio.gather(*every) for number_took in each]
    return sorted(milliseconds for number, milliseconds in took if number >= rate * seconds // WARMING)


async def _connection(
    host: str, questions: Sequence[Asked], begun: float, numbers: range, rate: int
) -> list[tuple[int, float]]:
    name, _, port = host.rpartition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    took = []
    for number in numbers:
        due = begun + number / rate
        await asyncio.sleep(due - time.perf_counter())
        account, body = questions[number % len(questions)]
        writer.write(request(host, account, body))
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
        await reader.readexactly(int(length))
        took.append((number, (time.perf_counter() - due) * 1000))
    writer.close()
    return took
