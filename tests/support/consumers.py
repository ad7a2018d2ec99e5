"""A world of consumers: a store with accounts, two topics, processes of `commcredits`, and a check at the end.

world.publish(stream.messages(5_000))
consumer = world.consume()
consumer.kill()
world.finish()       # consume --once
world.check(stream)  # 0 lost, 0 double, every balance as the stream's own books have it, read models to the byte
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import UnknownTopicOrPartitionError
from kafka.protocol.consumer import OffsetSpec

from adapters.store.store import migrate, open_store
from application.explain import Explainer
from application.ports import Store
from commcredits.bootstrap import create_read_models
from commcredits.sandbox.topics import create_topics, delete_topics
from domain.events import UsageDebited, account_stream, decode_state
from projections.balance import list_accounts
from projections.rebuild import rebuild
from tests.support.engine import MASTER_KEY, TestEngine
from tests.support.read_models import digests, follower
from tests.support.stream import FUNDS, Message, Stream
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
EXPLAINED: Final = 100  # debits of a world that are computed again


class Process:
    """One run of a command; `module` is what runs it."""

    def __init__(
        self, arguments: Iterable[str], environment: dict[str, str], log: Path, module: str = "commcredits"
    ) -> None:
        command = [sys.executable, "-m", module, *arguments, "--json"]
        self.log = log
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=stderr, cwd=ROOT, text=True
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, number: signal.Signals) -> Self:
        """SIGSTOP, SIGCONT, …"""
        self.process.send_signal(number)
        return self

    def end(self, number: signal.Signals = signal.SIGTERM, timeout_seconds: float = 30) -> tuple[int, dict[str, Any]]:
        """Send a signal, then wait: exit code and document."""
        self.process.send_signal(number)
        return self.result(timeout_seconds)

    def kill(self, after_seconds: float = 0) -> None:
        """SIGKILL, at an instant in its life; it may have ended by then."""
        try:
            self.process.wait(after_seconds)
        except subprocess.TimeoutExpired:
            self.close()

    def result(self, timeout_seconds: float = 60) -> tuple[int, dict[str, Any]]:
        """Wait for the end by itself: exit code and the document that it printed."""
        text, _ = self.process.communicate(timeout=timeout_seconds)
        return self.process.returncode, json.loads(text) if text.strip() else {}

    def close(self) -> None:
        """It does not outlive the test."""
        self.process.kill()  # does nothing where it has ended
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def told(self) -> str:
        """What it wrote for people."""
        return self.log.read_text()


class World:
    """One store, one broker, two topics of their own. `settings` go to every process."""

    def __init__(self, url: str, bootstrap: str, folder: Path, partitions: int = 4, **settings: str) -> None:
        self.url, self.bootstrap, self.folder, self.partitions = url, bootstrap, folder, partitions
        mark = uuid4().hex
        self.topics = (f"call-usage-{mark}", f"conference-usage-{mark}")
        create_topics(bootstrap, self.topics, partitions)
        self.settings = {
            "store": url,
            "master_key": b64encode(MASTER_KEY).decode(),
            "kafka_bootstrap": bootstrap,
            "kafka_group": f"group-{mark}",
            "topic_calls": self.topics[0],
            "topic_conferences": self.topics[1],
            "kafka_session": "2s",
            **settings,
        }
        self.funds: Counter[str] = Counter()  # what was paid in, by account, in 1/10,000
        self._processes: list[Process] = []

    def open_accounts(self, stream: Stream) -> None:
        """The accounts that the stream's usage is of, funded, and the deck that rates them."""
        migrate(self.url, [create_read_models])
        engine = TestEngine(self.url, create=False)
        engine.deck(*stream.deck())
        for account in stream.accounts:
            engine.open(account)
            engine.fund(str(FUNDS), account)
            self.note_funds(account, FUNDS)
        engine.close()

    def note_funds(self, account: str, amount: Decimal) -> None:
        """Money that the account's balance must have."""
        self.funds[account] += int(amount.scaleb(4))

    def publish(self, messages: Iterable[Message]) -> None:
        """Send them all; returns when the broker has them."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=20)
        try:
            sent = [self.send(producer, message) for message in messages]
            producer.flush()
            for each in sent:
                each.get(30)
        finally:
            producer.close()  # one that is left open leaks sockets while the broker is down

    def send(self, producer: KafkaProducer, message: Message) -> Any:
        """One message, to its topic."""
        topic = self.topics[message.conference]
        return producer.send(topic, message.value, key=message.key, headers=message.headers)

    def remake_topics(self, partitions: int | None = None) -> None:
        """Delete the topics and make them anew, under the same names."""
        delete_topics(self.bootstrap, self.topics)
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            wait_until(lambda: not set(self.topics) & set(admin.list_topics()), what="the topics to be gone")
        finally:
            admin.close()
        self.partitions = partitions or self.partitions
        create_topics(self.bootstrap, self.topics, self.partitions)

    def add_partitions(self, count: int, topics: Sequence[str] = ()) -> None:
        """Both topics, or some, have so many partitions now."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.create_partitions(dict.fromkeys(topics or self.topics, count))
        finally:
            admin.close()

    def ends(self) -> dict[tuple[str, int], int]:
        """Where the logs end."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            every = [TopicPartition(topic, number) for topic in self.topics for number in range(self.partitions)]
            found = admin.list_partition_offsets(dict.fromkeys(every, OffsetSpec.LATEST))
            return {tuple(partition): at.offset for partition, at in found.items()}
        finally:
            admin.close()

    def told(self) -> dict[tuple[str, int], int]:
        """The offsets that the group has committed to Kafka."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            offsets = admin.list_group_offsets([self.settings["kafka_group"]])[self.settings["kafka_group"]]
            return {tuple(partition): at.offset for partition, at in offsets.items() if at.offset > 0}
        finally:
            admin.close()

    def consume(self, *arguments: str, module: str = "commcredits", **settings: str) -> Process:
        """Start a consumer."""
        return self.run("consume", *arguments, module=module, **settings)

    def run(self, *arguments: str, module: str = "commcredits", **settings: str) -> Process:
        """Start any command."""
        given = {f"COMMCREDITS_{name.upper()}": text for name, text in (self.settings | settings).items()}
        log = self.folder / f"{arguments[0]}-{len(self._processes)}.log"
        process = Process(arguments, {**os.environ, **given}, log, module)
        self._processes.append(process)
        return process

    def finish(self, *arguments: str, **settings: str) -> dict[str, Any]:
        """Consume what there is, up to the ends of now."""
        process = self.consume("--once", *arguments, **settings)
        code, document = process.result(120)
        assert code in (0, 1), process.told() + json.dumps(document)
        return document

    def debits(self) -> int:
        """How many usages are stored."""
        with closing(open_store(self.url)) as store:
            return count_debits(store)

    def wait_for_debits(self, count: int, timeout_seconds: float = 60) -> None:
        """Until so many usages are stored."""
        with closing(open_store(self.url)) as store:  # one connection: a new one each time would keep the server busy
            try:
                wait_until(lambda: count_debits(store) >= count, timeout_seconds, f"{count} debits")
            except AssertionError as error:
                states = [f"{each.process.args!r}: {each.process.poll()}\n{each.told()}" for each in self._processes]
                raise AssertionError("\n".join([f"{error}, only {count_debits(store)}", *states])) from None

    def positions(self) -> dict[tuple[str, int], int]:
        """How far the database has got in each partition."""
        engine = TestEngine(self.url, create=False)
        positions = {(each.topic, each.partition): each.reached for each in engine.store.positions()}
        engine.close()
        return positions

    def check(self, *streams: Stream) -> None:
        """Everything that was published became exactly what the streams' books say."""
        engine = TestEngine(self.url, create=False)
        found: dict[str, dict[str, Decimal]] = {name: {} for stream in streams for name in stream.accounts}
        by_stream = {account_stream(name): name for name in found}
        position = doubles = 0
        while rows := engine.store.select_log(position, 5_000):
            for position, originator, _, topic, state in rows:  # noqa: B007
                event = decode_state(topic, state)
                if isinstance(event, UsageDebited):
                    charged = found[by_stream[originator]]
                    doubles += event.usage_id in charged
                    charged[event.usage_id] = event.amount
        assert doubles == 0
        expected: dict[str, dict[str, Decimal]] = {name: {} for name in found}
        letters: Counter[str] = Counter()
        for stream in streams:
            letters += stream.dead
            for name, charges in stream.charges.items():
                expected[name] |= charges
        lost = {name: charges.keys() - found[name].keys() for name, charges in expected.items()}
        assert not any(lost.values()), lost
        wrong = {
            (name, usage_id): (amount, expected[name].get(usage_id))
            for name, charges in found.items()
            for usage_id, amount in charges.items()
            if amount != expected[name].get(usage_id)
        }
        assert wrong == {}, wrong
        balances = {
            name: Decimal(self.funds[name]).scaleb(-4) - sum(charges.values(), Decimal(0))
            for name, charges in expected.items()
        }
        for name, balance in balances.items():
            assert engine.balance(name) == balance
        assert Counter(letter.reason for letter in engine.store.letters(limit=100_000)) == letters
        check_explained(engine, [(name, usage_id) for name, charges in found.items() for usage_id in charges])
        check_read_models(engine.store, balances)
        engine.close()

    def close(self) -> None:
        """Ends the processes and removes the topics."""
        for process in self._processes:
            process.close()
        if _answers(self.bootstrap):
            with suppress(UnknownTopicOrPartitionError):  # a test may have deleted one
                delete_topics(self.bootstrap, self.topics)


def count_debits(store: Store) -> int:
    """How many usages are stored."""
    with store.reading() as database:
        [[count]] = database.execute("SELECT count(*) FROM stored_events WHERE usage_key IS NOT NULL")
    return int(count)


def check_explained(engine: TestEngine, usages: Sequence[tuple[str, str]]) -> None:
    """Some debits, computed again from their records."""
    explainer = Explainer(engine.store, engine.vault)
    for name, usage_id in random.Random(len(usages)).sample(usages, min(EXPLAINED, len(usages))):
        explanation = explainer.explain(usage_id, name)
        assert explanation.matches, (name, usage_id, explanation.checks)


def check_read_models(store: Store, balances: Mapping[str, Decimal]) -> None:
    """What followed the log shows these balances, and is what a rebuild makes, to the byte."""
    follower(store).catch_up()
    with store.reading() as database:
        shown = {account.account_id: account.balance for _, account in list_accounts(database)}
    assert {name: shown[name] for name in balances} == balances
    live = digests(store)
    rebuilt = [rebuild(store, name) for name in ("balance", "statement")]
    assert [(each.rows, each.sha256) for each in rebuilt] == list(live)


def delete_records(bootstrap: str, before: dict[tuple[str, int], int]) -> None:
    """As retention does: the logs begin at these offsets now."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.delete_records({TopicPartition(*partition): offset for partition, offset in before.items()})
    finally:
        admin.close()


def _answers(bootstrap: str) -> bool:
    host, _, port = bootstrap.split(",")[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True
