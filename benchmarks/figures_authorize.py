"""The figures of authorization: in process on one core, and through `serve` while a consumer is at work beside it."""

import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import urlopen

import msgspec

from application.authorize import Question, decide
from benchmarks import asking, steady, stream
from benchmarks.context import Context, read_messages
from benchmarks.measure import family, resident_mb, timed
from benchmarks.report import Figure
from benchmarks.servers import environment, settings
from commcredits.bootstrap import Engine, now
from domain.account import CreditAccount

ASKED: Final = 50_000  # in process
RATE: Final = 1_000  # a second, through `serve`
SECONDS: Final = 24
USAGES_A_SECOND: Final = 5_000  # beside it
PARTS: Final = (50, 90, 99, 99.9, 100)
END_SECONDS: Final = 60


class _Call(msgspec.Struct):
    """Of a usage message: what is asked about it before the call."""

    account_id: str
    user_id: str
    call_type: str
    caller: str
    callee: str
    number_type: str


def authorized(context: Context) -> list[Figure]:
    """Both, on one world."""
    calls = _calls(context)
    with context.database() as url:
        return [*_in_process(url, context, calls), *_served(url, context, calls)]


def _calls(context: Context) -> list[_Call]:
    decode = msgspec.json.Decoder(_Call).decode
    path = context.messages("authorize", count=min(ASKED, context.usages))
    return [decode(message.value) for message in read_messages(path)]


def _in_process(url: str, context: Context, calls: Sequence[_Call]) -> list[Figure]:
    with closing(Engine(settings(url))) as engine:
        accounts = engine.accounts.find(context.world.account_ids())
        users = engine.vault.load_users({(call.account_id, call.user_id) for call in calls})
        asked = [
            (
                accounts[call.account_id],
                Question(call.callee, call.caller, call.user_id, call.call_type, call.number_type),
                users[call.account_id, call.user_id],
            )
            for call in calls
        ]
        return _decided(engine, asked)


def _decided(engine: Engine, asked: Sequence[tuple[CreditAccount, Question, str]]) -> list[Figure]:
    """Twice: all at once, and each by itself. The first ones compile the deck and are not counted."""
    decks, at = engine.decks, now()
    for account, question, user in asked[: len(asked) // 10]:
        decide(account, question, user, decks, at)
    with timed() as span:
        for account, question, user in asked:
            decide(account, question, user, decks, at)
    took, reasons = [], dict[str, int]()
    for account, question, user in asked:
        begun = time.perf_counter()
        decision = decide(account, question, user, decks, at)
        took.append((time.perf_counter() - begun) * 1000)
        reasons[decision.reason] = reasons.get(decision.reason, 0) + 1
    shown = _parts(sorted(took))
    of: dict[str, Any] = {"rows": len(asked), "detail": {"ms": shown, "reasons": reasons}}
    return [
        Figure(name="authorize in process, on one core", unit="calls/s", value=len(asked) / span.seconds, **of),
        Figure(name="authorize in process, 99%", unit="ms", value=shown["p99"], must=1, at_most=True, **of),
    ]


def _served(url: str, context: Context, calls: Sequence[_Call]) -> list[Figure]:
    questions = [
        (call.account_id, json.dumps({name: getattr(call, name) for name in _ASKED}).encode()) for call in calls
    ]
    usages = context.messages("beside", count=USAGES_A_SECOND * (SECONDS + 2))
    spawn = multiprocessing.get_context("spawn")
    begun = time.perf_counter()
    with context.servers.topics() as topics, _serving(context, url) as (serve, address):
        start = {"ready_seconds": round(time.perf_counter() - begun, 1), "ready_mb": round(resident_mb(serve.pid))}
        with stream.consuming(context.servers, url, topics, 1, context.log) as consumers:
            (began, begins), (answered, answers) = (spawn.Pipe(duplex=False) for _ in range(2))
            publisher = spawn.Process(
                target=steady.publish, args=(context.servers.kafka, topics, usages, USAGES_A_SECOND, begins)
            )
            client = spawn.Process(target=asking.ask, args=(address, questions, RATE, SECONDS, answers))
            publisher.start()
            _heard(began)
            before = {name: family(pid).cpu_seconds for name, pid in _pids(serve, consumers).items()}
            client.start()
            took: list[float] = _heard(answered)
            after = {name: family(pid).cpu_seconds for name, pid in _pids(serve, consumers).items()}
            client.join()
            publisher.join()
        memory = family(serve.pid).peak_mb
    shares = {name: round((after[name] - before[name]) / SECONDS, 2) for name in after}
    shown = _parts(took)
    detail = {"ms": shown, "cpu_share": shares, "usages_a_second_beside": USAGES_A_SECOND}
    accounts = context.world.accounts
    return [
        Figure(
            name=f"authorize through serve at {RATE:,}/s, 99%", unit="ms", value=shown["p99"], rows=len(took), must=10,
            at_most=True, detail=detail,
        ),
        Figure(
            name=f"memory of serve, {accounts:,} accounts", unit="MB", value=memory, rows=accounts, must=300,
            at_most=True, detail=start,
        ),
    ]  # fmt: skip


_ASKED: Final = ("user_id", "call_type", "caller", "callee", "number_type")


def _pids(serve: "subprocess.Popen[bytes]", consumers: stream.Consumers) -> dict[str, int]:
    return {"serve": serve.pid, "consume": consumers.process.pid}


def _heard(pipe: Connection) -> Any:
    """What a process tells. RuntimeError where it says nothing: it has died."""
    if not pipe.poll(SECONDS + END_SECONDS):
        raise RuntimeError("a process of the benchmark has said nothing")
    return pipe.recv()


@contextmanager
def _serving(context: Context, url: str) -> "Iterator[tuple[subprocess.Popen[bytes], str]]":
    """`commcredits serve`, once it has read the log."""
    command = [sys.executable, "-m", "commcredits", "serve", "--port", "0", "--json"]
    with context.log.open("ab") as out:
        process = subprocess.Popen(command, env=environment(url), stdout=subprocess.PIPE, stderr=out)
    try:
        assert process.stdout is not None
        address: str = json.loads(process.stdout.readline())["url"]
        _wait_until_ready(address)
        yield process, address
    finally:
        process.terminate()
        process.wait(END_SECONDS)


def _wait_until_ready(address: str) -> None:
    end = time.monotonic() + END_SECONDS
    while True:
        try:
            with urlopen(f"{address}/health/ready"):
                return
        except HTTPError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _parts(values: Sequence[float]) -> dict[str, float]:
    """Of sorted values."""
    last = len(values) - 1
    return {f"p{part:g}": round(values[min(last, int(part * len(values) / 100))], 3) for part in PARTS}
