"""Where the time of one usage goes: the consumer in this process, its functions wrapped from outside.

CPU time is this thread's, so neither the servers nor others on the machine count in it; by the clock a stage also has
what it waited for. kafka-python fetches on a thread of its own: `fetch` is the process's CPU time without this
thread's.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from adapters.privacy import BatchSealer
from adapters.store import postgres
from application import ingest
from application.accounts import Accounts
from application.decks import DeckBook
from benchmarks import stream
from benchmarks.servers import Servers, settings
from benchmarks.traffic import Message
from commcredits.bootstrap import Engine
from commcredits.consuming import kafka_config
from consumers.kafka import loop
from consumers.kafka.broker import Broker
from consumers.kafka.loop import run_consumer
from consumers.kafka.member import Member

WARM: Final = 50_000  # usages before the stages are counted: by then every account is in memory


class Stage(NamedTuple):
    """A stage and the functions that are it. `often`: called for each usage, so its own time is by the clock alone."""

    name: str
    functions: tuple[tuple[Any, str], ...]
    often: bool = False


STAGES: Final = (
    Stage("poll", ((Member, "poll"),)),
    Stage("decode", ((loop, "decode_records"),)),
    Stage("check topic", ((Broker, "present"),)),
    Stage("look up ids", ((ingest.Ingest, "_look_up"),)),
    Stage("load", ((Accounts, "find"), (DeckBook, "refresh"), (BatchSealer, "find"))),
    Stage("decide", ((ingest.Ingest, "take"),)),
    Stage("seal", ((BatchSealer, "seal"),), often=True),
    Stage("encode", ((ingest, "encode_state"),), often=True),
    Stage("rows", ((postgres, "copy_rows"),)),
    Stage("copy", ((postgres, "stage"),)),
    Stage("commit", ((postgres.PostgresLedgerRecorder, "_finish"),)),
    Stage("snapshots", ((Accounts, "committed"),)),
)
FETCH: Final = "fetch"


class Spent(NamedTuple):
    """Seconds of a stage."""

    cpu: float
    clock: float


class Profile:
    """Counts by stage while it is entered. What a stage calls of another one is not its own."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}
        self._within = [0.0, 0.0]
        self._originals: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> "Profile":
        for name, functions, often in STAGES:
            self.spent[name] = [0.0, 0.0]
            for owner, attribute in functions:
                function = getattr(owner, attribute)
                self._originals.append((owner, attribute, function))
                setattr(
                    owner, attribute, self._counted(function, name, time.perf_counter if often else time.thread_time)
                )
        return self

    def __exit__(self, *_: object) -> None:
        for owner, attribute, function in reversed(self._originals):
            setattr(owner, attribute, function)

    def reset(self) -> None:
        """From here on."""
        for spent in self.spent.values():
            spent[:] = [0.0, 0.0]

    def _counted(self, function: Callable[..., Any], name: str, cpu_clock: Callable[[], float]) -> Callable[..., Any]:
        clock = time.perf_counter

        def counted(*args: Any, **kwargs: Any) -> Any:
            spent, outer = self.spent[name], self._within
            self._within = within = [0.0, 0.0]
            begun, cpu = clock(), cpu_clock()
            try:
                return function(*args, **kwargs)
            finally:
                cpu, begun = cpu_clock() - cpu, clock() - begun
                self._within = outer
                spent[0] += cpu - within[0]
                spent[1] += begun - within[1]
                outer[0] += cpu
                outer[1] += begun

        return counted


def profile(servers: Servers, url: str, messages: Iterable[Message]) -> dict[str, Spent]:
    """Microseconds a usage by stage, of one process that consumes them all."""
    with servers.topics() as topics, stream.publishing(servers, topics, messages) as published, Profile() as counting:
        published.commit()
        config = settings(url, kafka_bootstrap=servers.kafka, topic_calls=topics[0], topic_conferences=topics[1])
        return _consume(config, counting)


def _consume(config: Any, counting: Profile) -> dict[str, Spent]:
    usages, process_cpu, thread_cpu = 0, 0.0, 0.0

    def report(tally: ingest.Tally) -> None:
        nonlocal usages, process_cpu, thread_cpu
        before, usages = usages, usages + tally.read
        if before < WARM <= usages:
            counting.reset()
            process_cpu, thread_cpu = time.process_time(), time.thread_time()

    run_consumer(kafka_config(config, once=True), Engine(config), lambda: False, report)
    counted = usages - WARM
    fetched = (time.process_time() - process_cpu) - (time.thread_time() - thread_cpu)
    spent = {FETCH: Spent(fetched, fetched)} | {name: Spent(*each) for name, each in counting.spent.items()}
    return {name: Spent(cpu / counted * 1e6, clock / counted * 1e6) for name, (cpu, clock) in spent.items()}
