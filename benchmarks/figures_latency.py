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
from typing import Any, Final, NamedTuple

import msgspec
import psycopg

from application.privacy import usage_key
from benchmarks import steady, stream
from benchmarks.context import Context, read_messages
from benchmarks.measure import family
from benchmarks.report import Figure
from benchmarks.servers import environment, settings
from commcredits.bootstrap import Engine
from commcredits.project import project_once

RATE: Final = 5_000
SECONDS: Final = 60  # at most
WARMING: Final = 6  # the first of so many parts is not counted: the programs have just started
LOOK_SECONDS: Final = 0.002
END_SECONDS: Final = 60
PARTS: Final = (50, 90, 99, 99.9, 100)
REACHED: Final = """SELECT (SELECT max(notification_id) FROM stored_events), min(notification_id)
    FROM notification_tracking WHERE application_name IN ('balance', 'statement')"""
CONSUMED: Final = "SELECT coalesce(sum(reached), 0) FROM positions"
USAGES: Final = "SELECT usage_key, notification_id FROM stored_events WHERE usage_key IS NOT NULL"


class Looks(NamedTuple):
    """By the time of each look: the log's end, and the position that both read models had reached."""

    times: list[float]
    committed: list[int]
    visible: list[int]


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
            seconds = looks.times[-1] - begun
            spent = {"consume": consumers.process.pid, "project": project.pid}
            shares = {name: round(family(pid).cpu_seconds / seconds, 2) for name, pid in spent.items()}
        positions = stored(url)
    committed, visible = (
        sorted(each) for each in zip(*_latencies(path, count // WARMING, begun, looks, positions), strict=True)
    )
    detail = {"committed_ms": _parts(committed), "visible_ms": _parts(visible), "cpu_share": shares}
    of: dict[str, Any] = {"unit": "ms", "rows": len(visible), "at_most": True, "detail": detail}
    half, most = (detail["visible_ms"][name] for name in ("p50", "p99"))
    return [
        Figure(name=f"{RATE:,} usages/s: visible after, half of them", value=half, **of),
        Figure(name=f"{RATE:,} usages/s: visible after, 99%", value=most, must=250, aim=100, **of),
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
    looks = Looks([], [], [])
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            is_over = not publisher.is_alive() and connection.execute(CONSUMED).fetchall()[0][0] >= count
            [[newest, position]] = connection.execute(REACHED).fetchall()
            looks.times.append(time.perf_counter())
            looks.committed.append(newest)
            looks.visible.append(position)
            if is_over and position >= newest:
                return looks
            if any(program.poll() is not None for program in programs) or publisher.exitcode:
                raise RuntimeError("one of the programs has ended")
            time.sleep(LOOK_SECONDS)


def stored(url: str) -> dict[bytes, int]:
    """Where each usage stands in the log."""
    with psycopg.connect(url) as connection:
        return dict(connection.execute(USAGES).fetchall())


def _latencies(
    path: Path, first: int, begun: float, looks: Looks, positions: Mapping[bytes, int]
) -> Iterator[tuple[float, float]]:
    """Milliseconds until committed and until visible, of each usage from the `first` on.

    A duplicate was there before: it has none.
    """
    seen: set[bytes] = set()
    decode = msgspec.json.Decoder(_Ids).decode
    for number, message in enumerate(read_messages(path)):
        ids = decode(message.value)
        key = usage_key(ids.account_id, ids.usage_id)
        if key in seen or number < first:
            seen.add(key)
            continue
        seen.add(key)
        due, position = begun + number / RATE, positions[key]
        committed, visible = (
            looks.times[bisect_left(each, position)] - due for each in (looks.committed, looks.visible)
        )
        yield committed * 1000, visible * 1000


def _parts(values: Sequence[float]) -> dict[str, float]:
    """Of sorted values."""
    last = len(values) - 1
    return {f"p{part:g}": round(values[min(last, int(part * len(values) / 100))], 1) for part in PARTS}
