"""The figure of the steady stream: from the instant at which a usage was due to be published to the read models.

Each usage is measured from when it was due, not from when it was sent: a publisher that was held up hides nothing. It
is visible when both read models have been brought up to its event, which is looked at every two milliseconds.
"""

import multiprocessing
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from application.privacy import usage_key
from benchmarks import steady, stream
from benchmarks.context import Context, read_messages
from benchmarks.report import Figure
from benchmarks.servers import environment, settings
from commcredits.bootstrap import Engine
from commcredits.project import project_once

RATE: Final = 5_000
SECONDS: Final = 60  # at most
WARM_SECONDS: Final = 10  # not counted: the programs have just started
LOOK_SECONDS: Final = 0.002
END_SECONDS: Final = 60
REACHED: Final = """SELECT min(notification_id) FROM notification_tracking
    WHERE application_name IN ('balance', 'statement')"""
ENDS: Final = "SELECT (SELECT sum(reached) FROM positions), (SELECT max(notification_id) FROM stored_events)"
USAGES: Final = "SELECT usage_key, notification_id FROM stored_events WHERE usage_key IS NOT NULL"

Looks = list[tuple[float, int]]  # when, and the position that both read models had reached by then


class _Ids(msgspec.Struct):
    account_id: str
    usage_id: str


def steady_stream(context: Context) -> list[Figure]:
    """One consumer and `project`, both at work."""
    count = min(context.usages, RATE * SECONDS)
    path = context.messages("steady", count=count)
    with context.database() as url, context.servers.topics() as topics:
        bring_up(url)
        with (
            stream.consuming(context.servers, url, topics, 1, context.log) as consumers,
            projecting(context, url) as project,
        ):
            receiving, sending = multiprocessing.Pipe(duplex=False)
            arguments = (context.servers.kafka, topics, path, RATE, sending)
            publisher = multiprocessing.get_context("spawn").Process(target=steady.publish, args=arguments)
            publisher.start()
            begun = receiving.recv()
            looks = watch(url, count, publisher, [consumers.process, project])
        positions = stored(url)
    latencies = sorted(_latencies(path, begun, looks, positions))
    detail = {f"p{part}": round(_part(latencies, part / 100), 2) for part in (50, 90, 99, 99.9, 100)}
    of: dict[str, Any] = {"unit": "ms", "rows": len(latencies), "at_most": True, "detail": detail}
    return [
        Figure(name=f"{RATE:,} usages/s: visible after, half of them", value=detail["p50"], **of),
        Figure(name=f"{RATE:,} usages/s: visible after, 99%", value=detail["p99"], must=250, aim=100, **of),
    ]


def bring_up(url: str) -> None:
    """The read models to the end of what the world is made of."""
    engine = Engine(settings(url))
    try:
        project_once(engine)
    finally:
        engine.close()


@contextmanager
def projecting(context: Context, url: str) -> "Iterator[subprocess.Popen[bytes]]":
    """`commcredits project`."""
    command = [sys.executable, "-m", "commcredits", "project"]
    with context.log.open("ab") as out:
        process = subprocess.Popen(command, env=environment(url), stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(END_SECONDS)


def watch(url: str, count: int, publisher: SpawnProcess, programs: "Sequence[subprocess.Popen[bytes]]") -> Looks:
    """Look at the read models' position until all that is published is in them."""
    looks: Looks = []
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            [[position]] = connection.execute(REACHED).fetchall()
            looks.append((time.perf_counter(), position))
            if not publisher.is_alive():
                [[consumed, newest]] = connection.execute(ENDS).fetchall()
                if consumed >= count and position >= newest:
                    return looks
            if any(program.poll() is not None for program in programs) or publisher.exitcode:
                raise RuntimeError("one of the programs has ended")
            time.sleep(LOOK_SECONDS)


def stored(url: str) -> dict[bytes, int]:
    """Where each usage stands in the log."""
    with psycopg.connect(url) as connection:
        return dict(connection.execute(USAGES).fetchall())


def _latencies(path: Path, begun: float, looks: Looks, positions: Mapping[bytes, int]) -> Iterator[float]:
    """Milliseconds of each usage after the warm-up. A duplicate was there before: it has none."""
    reached = [position for _, position in looks]
    seen: set[bytes] = set()
    decode = msgspec.json.Decoder(_Ids).decode
    for number, message in enumerate(read_messages(path)):
        ids = decode(message.value)
        key = usage_key(ids.account_id, ids.usage_id)
        if key in seen or number < WARM_SECONDS * RATE:
            seen.add(key)
            continue
        seen.add(key)
        visible, _ = looks[bisect_left(reached, positions[key])]
        yield (visible - begun - number / RATE) * 1000


def _part(values: Sequence[float], part: float) -> float:
    return values[min(len(values) - 1, int(part * len(values)))]
