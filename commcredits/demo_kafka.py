"""`demo --kafka`: the same story through a real broker and PostgreSQL, with a consumer killed in the middle.

Servers that are named by the settings are used (in a database and topics of the story's own, removed at the end); the
others are started. The proof that nothing was lost or taken twice: the same traffic, taken in as a file by the embedded
store that nobody kills, gives every account the same balance.
"""

import base64
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

from commcredits.bootstrap import Engine
from commcredits.cli.output import Output
from commcredits.consuming import kafka_config
from commcredits.demo import INPUT, finish, fund_by_invoice, open_account, settle_by_invoice
from commcredits.settings import POSTGRESQL, PREFIX, Settings
from commcredits.story import Story, StoryFailed, example
from commcredits.traffic import Message
from consumers.kafka.config import KafkaConfig
from domain.errors import NotFound

T = TypeVar("T")

ACCOUNTS: Final = 20
USAGES: Final = 30_000
PARTITIONS: Final = 4
KILL_AFTER: Final = USAGES // 4
PATIENCE_SECONDS: Final = 60
ELSEWHERE: Final = b"".join(
    b'{"prefix":"","origin":null,"direction":"%s","blocked":null,"name":"elsewhere","connection_fee":"0",'
    b'"effective_from":null,"effective_to":null,'
    b'"slots":[{"from_second":0,"rate_per_minute":"0.25","increment_seconds":60}]}\n' % direction
    for direction in (b"out", b"in")
)


def demo_kafka(output: Output, given: Settings) -> dict[str, Any]:
    """Tells it; answers what it came to. Raises StoryFailed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="commcredits-demo-")))
        output.note("getting PostgreSQL and Kafka ready …")
        store = stack.enter_context(_database(given.store))
        config = stack.enter_context(_topics(given))
        for name in INPUT:
            shutil.copy(example(name), folder)
        story = Story(output, folder, _settings(given, store, config))
        twin = Story(output, folder, {"store": "sqlite:///twin.db", "actor": "demo"})
        story.tell("A real PostgreSQL and a real broker with two topics. The schema is made.")
        story.run("migrate")
        open_account(story, fund_by_invoice)
        _prepare(story, twin)
        publish = _publisher(config)
        taken = take_usage(story, twin, publish)

        def take(name: str) -> None:
            publish(folder / name)
            story.run("consume --once")

        pay = partial(settle_by_invoice, story)
        return {**finish(story, take, pay), "usages": taken, "killed": 1}


def take_usage(story: Story, twin: Story, publish: Callable[[Path], int]) -> int:
    """Publishes, kills a consumer in mid-stream, lets two finish, compares. Answers how many usages there were."""
    story.tell(
        f"{USAGES:,} calls of {ACCOUNTS} organisations are published. A consumer takes them in, and is killed with -9 "
        "in the middle."
    )
    twin.run(f"simulate --accounts {ACCOUNTS} --usages {USAGES} --seed 7 --out traffic.ndjson", shown=False)
    published = publish(twin.directory / "traffic.ndjson")
    before = _kill_in_the_middle(story)
    story.remark(f"killed -9: {before:,} of {published:,} usages are in the log, with the positions they came from")
    story.tell(
        "Contoso's own calls come too; one of them twice, and one without a rate. Two consumers finish: events and "
        "positions are one commit, so no call is missed or taken twice."
    )
    published += publish(story.directory / "usage.ndjson")
    story.run("consume --processes 2 --once", expect=1)
    if (taken := _in_the_log(story)) != published:
        raise StoryFailed(f"{taken} usages were taken, of {published}")
    story.tell("The proof: the same traffic taken in as a file, by an embedded store that nobody killed.")
    twin.run("ingest traffic.ndjson")
    ours, theirs = _balances(story), _balances(twin)
    same = sum(ours[account] == balance for account, balance in theirs.items())
    story.remark(f"{same} of {len(theirs)} balances are the same to the last decimal, such as sim-1: {ours['sim-1']}")
    if same != len(theirs):
        raise StoryFailed("the balances differ")
    return published


def _prepare(story: Story, twin: Story) -> None:
    """The organisations of the simulated traffic, on both stores, and a rate for wherever they call."""
    twin.run("deck import rates.csv --name default --currency EUR", shown=False)
    story.write("elsewhere.ndjson", ELSEWHERE)
    for one in (story, twin):
        one.run("deck import elsewhere.ndjson --name elsewhere --currency EUR", shown=False)
        for number in range(1, ACCOUNTS + 1):
            one.run(f"account open sim-{number} --currency EUR --deck elsewhere --at 2026-01-01", shown=False)
            one.run(f"funds add sim-{number} 1000 --at 2026-01-01", shown=False)


def _kill_in_the_middle(story: Story) -> int:
    """Starts a consumer, kills it when a quarter is in the log; answers how many usages are then."""
    settings = {PREFIX + name.upper(): value for name, value in story.settings.items()}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | settings
    with subprocess.Popen(
        [sys.executable, "-m", "commcredits", "consume"],
        env=environment,
        cwd=story.directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as consumer:
        try:
            _wait_until(lambda: _in_the_log(story) >= KILL_AFTER, consumer)
        finally:
            consumer.send_signal(signal.SIGKILL)
    return _in_the_log(story)


def _in_the_log(story: Story) -> int:
    """How far the database's positions are, over all partitions."""
    with closing(Engine(Settings(store=story.settings["store"]))) as engine:
        return sum(position.reached for position in engine.store.positions())


def _wait_until(is_so: Callable[[], bool], consumer: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if consumer.poll() is not None or time.monotonic() > end:
            raise StoryFailed("the consumer took nothing in")
        time.sleep(0.01)


def _balances(story: Story) -> dict[str, str]:
    accounts = story.run("account list", shown=False)
    return {each["account"]: each["balance"] for each in accounts if each["account"].startswith("sim-")}


def _publisher(config: KafkaConfig) -> Callable[[Path], int]:
    """What sends a file's lines to their topics; it answers how many."""
    import msgspec

    from commcredits.simulate import publish

    def messages(path: Path) -> Iterator[Message]:
        with path.open("rb") as lines:
            for line in lines:
                usage = msgspec.json.decode(line)
                yield Message(usage["account_id"], usage["call_type"].startswith("conf_"), line.strip())

    return lambda path: publish(messages(path), config, lambda count: None)


def _settings(given: Settings, store: str, config: KafkaConfig) -> dict[str, str]:
    """The story's environment: what was given to reach the servers, and what is the story's own."""
    from commcredits.settings import SETTINGS

    own = {
        "store": store,
        "master_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "kafka_bootstrap": config.bootstrap,
        "kafka_group": config.group,
        "topic_calls": config.topic_calls,
        "topic_conferences": config.topic_conferences,
        "batch_size": "500",  # so that there is a middle to be killed in
        "actor": "demo",
    }
    reach = {setting.name: getattr(given, setting.name) for setting in SETTINGS if setting.name.startswith("kafka_")}
    texts = {name: str(value) for name, value in reach.items() if isinstance(value, str | Path)}
    return texts | own


def _start(server: Callable[[], AbstractContextManager[T]], stack: ExitStack) -> T:
    """Raises NotFound `server_missing` where its programs are not installed."""
    try:
        return stack.enter_context(server())
    except RuntimeError as error:
        text = f"{error}; or name servers: --store postgresql://… and COMMCREDITS_KAFKA_BOOTSTRAP"
        raise NotFound("server_missing", text) from error


@contextmanager
def _database(store: str) -> Iterator[str]:
    """The URL of a database of the story's own."""
    if not store.startswith(POSTGRESQL):
        from commcredits.sandbox.postgres import PostgresServer

        with ExitStack() as stack:
            yield _start(PostgresServer, stack).dsn
        return
    import psycopg
    from psycopg import sql

    name = sql.Identifier(f"commcredits_demo_{secrets.token_hex(4)}")
    with psycopg.connect(store, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    try:
        yield urlunsplit(urlsplit(store)._replace(path=f"/{name.as_string().strip(chr(34))}"))
    finally:
        with psycopg.connect(store, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def _topics(given: Settings) -> Iterator[KafkaConfig]:
    """A cluster with two topics of the story's own."""
    from kafka.admin import KafkaAdminClient, NewTopic

    from consumers.kafka.broker import connect

    mark = secrets.token_hex(4)
    names = (f"call-usage-demo-{mark}", f"conference-usage-demo-{mark}")
    with ExitStack() as stack:
        if given.kafka_bootstrap is None:
            from commcredits.sandbox.kafka import KafkaServer

            given = replace(given, kafka_bootstrap=_start(KafkaServer, stack).bootstrap)
        own = replace(given, topic_calls=names[0], topic_conferences=names[1], kafka_group=f"demo-{mark}")
        config = kafka_config(own)
        admin = connect(KafkaAdminClient, **config.connection())
        stack.callback(admin.close)
        admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
        stack.callback(admin.delete_topics, list(names))
        yield config
