"""Figures of the consumer: the whole path from Kafka to the database, by several processes and by one."""

from typing import Any, Final

from benchmarks import stages, stream
from benchmarks.context import HOT, PROCESSES, Context, read_messages
from benchmarks.figures_reading import loading
from benchmarks.floors import copy_floor
from benchmarks.measure import resident_mb
from benchmarks.report import Figure
from benchmarks.stream import Consumed, Consumers

QUARTERS: Final = 4
LARGE: Final = 10  # streams that are stored in the large database before the last one comes


def whole_path(context: Context) -> list[Figure]:
    """From the publisher's commit to the database's last, by two processes that have just started."""
    url, consumed = context.consumed
    floor = copy_floor(url, context.usages)
    detail = costs(consumed)
    return [
        Figure(
            name=f"Kafka to PostgreSQL, {PROCESSES} processes",
            unit="usages/s",
            value=consumed.rate,
            floor=floor,
            must=0.35,
            aim=0.5,
            rows=consumed.usages,
            detail=detail,
        )
    ]


def one_process(context: Context) -> list[Figure]:
    """The spread stream, the same again, and one of a single account, one after the other into one database."""
    memory = Memory(context.usages)
    with context.database() as url:

        def run(name: str, *accounts: str, watch: stream.Watch = lambda *_: None) -> Consumed:
            messages = read_messages(context.messages(name, accounts))
            return stream.run(context.servers, url, messages, 1, context.log, watch)

        spread = run("spread", watch=memory.watch)
        again = run("spread")
        hot = run("hot", HOT)
        loads = loading(context, url)
    rows = context.usages
    ratio: dict[str, Any] = {"unit": "usages/s", "floor": spread.rate, "rows": rows}
    return [
        Figure(name="one hot account, one process", value=hot.rate, must=0.7, aim=0.9, detail=costs(hot), **ratio),
        Figure(name="all duplicates, one process", value=again.rate, must=0.7, aim=1.5, detail=costs(again), **ratio),
        *memory.figures(spread),
        *loads,
    ]


class Memory:
    """Of one consumer: the most that it held in each quarter of a stream. By the second one all accounts are there."""

    def __init__(self, usages: int) -> None:
        self.usages = usages
        self.most = [0.0] * QUARTERS

    def watch(self, consumers: Consumers, reached: int) -> None:
        """Look, now and then: in the middle of a batch it holds more than between two."""
        quarter = min(QUARTERS * reached // self.usages, QUARTERS - 1)
        self.most[quarter] = max(self.most[quarter], resident_mb(consumers.pids()[0]))

    def figures(self, consumed: Consumed) -> list[Figure]:
        """The most that it held; and whether it grew once all accounts were there."""
        [worker] = consumed.workers
        of: dict[str, Any] = {"unit": "MB", "at_most": True, "rows": consumed.usages}
        _, second, *_, last = self.most
        detail = {"quarters": [round(each) for each in self.most]}
        return [
            Figure(name="memory of a consumer, the most", value=worker.peak_mb, must=300, **of),
            Figure(
                name="memory in the last quarter, of the second's",
                value=last, floor=second, must=1.1, aim=1.05, detail=detail, **of,
            ),
        ]  # fmt: skip


def large(context: Context) -> list[Figure]:
    """The same stream again and again into one database, until it holds ten times as many and takes one more."""
    url, consumed = context.consumed
    taken = [consumed]
    for number in range(1, LARGE + 1):
        messages = context.world.messages(context.usages, salt=f"large {number}")
        taken.append(stream.run(context.servers, url, messages, PROCESSES, context.log))
        print(f"  {number + 1} x {context.usages:,} stored: {taken[-1].rate:,.0f} usages/s", flush=True)
    micros = [1e6 / each.rate for each in taken]
    floor = copy_floor(url, context.usages)
    return [
        Figure(
            name=f"a usage with {LARGE} x {context.usages:,} stored",
            unit="µs",
            value=micros[LARGE],
            floor=micros[1],
            must=1.3,
            aim=1.1,
            at_most=True,
            rows=context.usages,
            detail={"micros": [round(each, 2) for each in micros], "copy_micros_at_end": round(1e6 / floor, 2)},
        )
    ]


def by_stage(context: Context) -> list[Figure]:
    """Where one process spends the time of a usage: no figure, a picture."""
    with context.database() as url:
        spent = stages.profile(context.servers, url, read_messages(context.messages("spread")))
    context.stages = {name: (round(each.cpu, 2), round(each.clock, 2)) for name, each in spent.items()}
    return []


def costs(consumed: Consumed) -> dict[str, Any]:
    """CPU time a usage of the consumers and of the servers, in µs."""
    micros = {name: seconds / consumed.usages * 1e6 for name, seconds in consumed.servers.items()}
    micros["consumers"] = sum(worker.cpu_seconds for worker in consumed.workers) / consumed.usages * 1e6
    return {
        "seconds": round(consumed.seconds, 2),
        "cpu_micros": {name: round(each, 1) for name, each in micros.items()},
        "peak_mb": [round(worker.peak_mb) for worker in consumed.workers],
    }
