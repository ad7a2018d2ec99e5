"""Looks at everything that this program stands on, and says what is wrong and how to mend it.

Each check has a status: `ok`; `finding` (it works, but somebody should look); `broken` (store, broker or payment
provider cannot be used, or a position is not in its topic). A check that cannot be made because another one failed is
left out.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, NamedTuple

from application.ports import SchemaMissing, StoreUnavailable
from commcredits import __version__, values
from commcredits.bootstrap import Engine, now
from commcredits.master_key import key_file
from domain.errors import DomainError

if TYPE_CHECKING:
    from commcredits.setting_sources import Loaded
    from consumers.kafka.broker import Broker
    from consumers.kafka.config import KafkaConfig

OK, FINDING, BROKEN = "ok", "finding", "broken"
MAX_LAG_EVENTS: Final = 10_000
MAX_SKEW_SECONDS: Final = 5
MAX_WAIT_SECONDS: Final = 600
PATIENCE_SECONDS: Final = 3
OLDEST_POSTGRESQL: Final = 150_000  # as the server writes its version
_SECOND = 1_000_000
_LOOKED_AT: Final = 100  # accounts that something is due for, first due first
_NOBODY: Final = "cus_doctor"  # whoever may ask for a customer is told that there is none


class Check(NamedTuple):
    """What was looked at. `mend` is empty where nothing is wrong."""

    name: str
    status: str
    message: str
    mend: str = ""


def examine(engine: Engine, loaded: "Loaded") -> Iterator[Check]:
    """All checks in order. Raises nothing that a check can say."""
    yield _versions()
    yield _settings(loaded)
    try:
        store = engine.store
    except SchemaMissing as error:
        yield Check("schema", BROKEN, str(error), "run `commcredits migrate`")
    except StoreUnavailable as error:
        yield Check("store", BROKEN, str(error), "is the server up, and COMMCREDITS_STORE right?")
    else:
        del store
        for check in (_store, _master_key, _clock, _read_models, _work, _dead_letters, _miskeyed, _notices):
            yield check(engine)
    yield _provider(engine)
    yield from _kafka(engine)


def _versions() -> Check:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("eventsourcing", "kafka-python", "msgspec", "psycopg"))
    python = sys.version.split()[0]
    return Check("versions", OK, f"commcredits {__version__}, Python {python}, {libraries}")


def _settings(loaded: "Loaded") -> Check:
    if not loaded.unknown_variables:
        return Check("settings", OK, "every variable that begins with COMMCREDITS_ is a setting")
    names = ", ".join(loaded.unknown_variables)
    return Check("settings", FINDING, f"no settings, and ignored: {names}", "see `commcredits settings` for the names")


def _store(engine: Engine) -> Check:
    with engine.store.reading() as database:
        if database.dialect == "sqlite":
            server = "SQLite " + str(database.execute("SELECT sqlite_version()")[0][0])
        else:
            [[number, server]] = database.execute(
                "SELECT current_setting('server_version_num')::int, 'PostgreSQL ' || current_setting('server_version')"
            )
            if number < OLDEST_POSTGRESQL:
                return Check(
                    "store", FINDING, f"{server} is older than what is tested", "upgrade to PostgreSQL 15 or later"
                )
    return Check(
        "store", OK, f"{server} answers, its schema is this program's; the log is at {engine.store.max_position()}"
    )


def _master_key(engine: Engine) -> Check:
    from adapters.privacy import WrongMasterKey

    try:
        engine.vault  # noqa: B018 - opening it is the check
    except (DomainError, WrongMasterKey) as error:
        return Check("master_key", FINDING, str(error), "set COMMCREDITS_MASTER_KEY to the key the store began with")
    path = None if engine.settings.master_key else key_file(engine.settings.store)
    if path is not None and path.stat().st_mode & 0o077:
        return Check("master_key", FINDING, f"others may read {path}", f"chmod 600 {path}")
    return Check("master_key", OK, "it opens the keys of personal data")


def _clock(engine: Engine) -> Check:
    from domain.events import decode_state

    newest = engine.store.select_log(engine.store.max_position() - 1, 1)
    recorded_at = max((decode_state(topic, state).recorded_at for _, _, _, topic, state in newest), default=0)
    skew = 0.0
    with engine.store.reading() as database:
        if database.dialect == "postgresql":
            [[server]] = database.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
            skew = (now() - server) / _SECOND
    mend = "set the clocks by NTP; what is recorded meanwhile keeps the order of the log"
    if abs(skew) > MAX_SKEW_SECONDS:
        return Check("clock", FINDING, f"this machine is {skew:+.1f} s from the database server", mend)
    ahead = (recorded_at - now()) / _SECOND
    if ahead > MAX_SKEW_SECONDS:
        text = f"the log's last event was recorded at {values.time_text(recorded_at)}, {ahead:.0f} s from now"
        return Check("clock", FINDING, text, mend)
    return Check("clock", OK, "it agrees with the store")


def _read_models(engine: Engine) -> Check:
    from projections import balance, statement
    from projections.freshness import freshness

    lags = {name: freshness(engine.store, name, now()).lag_events for name in (balance.NAME, statement.NAME)}
    text = ", ".join(f"{name} is {lag} event{'s' * (lag != 1)} behind" for name, lag in lags.items())
    if max(lags.values()) > MAX_LAG_EVENTS:
        return Check("read_models", FINDING, text, "let `commcredits project` run, or look why it does not keep up")
    return Check("read_models", OK, text)


def _work(engine: Engine) -> Check:
    from application.inbox import Inbox
    from domain.events import decode_state
    from projections import duties, notices

    behind = min(engine.store.tracked(name) for name in (duties.NAME, notices.NAME))
    waiting = [decode_state(topic, state).recorded_at for _, _, _, topic, state in engine.store.select_log(behind, 1)]
    long_ago = now() - MAX_WAIT_SECONDS * _SECOND
    if min(waiting, default=long_ago) < long_ago:
        text = (
            f"what has happened since {values.time_text(waiting[0])} was not looked at: money, expiry and notices wait"
        )
        return Check("work", FINDING, text, "let `commcredits work` run, or look why it does not keep up")
    told = Inbox(engine.store).waiting_since()
    if told is not None and told < long_ago:
        text = f"what the payment provider told at {values.time_text(told)} was not looked into yet"
        return Check("work", FINDING, text, "let `commcredits serve` run; its log says what keeps it from that")
    return Check("work", OK, "nothing has waited for `work` for long")


def _dead_letters(engine: Engine) -> Check:
    waiting = engine.store.open_letters()
    if not waiting:
        return Check("dead_letters", OK, "none is open")
    text = ", ".join(f"{count} {reason}" for reason, count in waiting.items())
    mend = "`commcredits dead-letters list --status open`, then `retry` or `discard`"
    return Check("dead_letters", FINDING, f"{sum(waiting.values())} are open: {text}", mend)


def _notices(engine: Engine) -> Check:
    from application import outbox

    with engine.store.reading() as database:
        dead, mails = outbox.count_dead(database), outbox.has_recipients(database)
    if dead:
        text = ", ".join(f"{count} by {channel}" for channel, count in dead.items())
        mend = "`commcredits webhook deliveries --status dead` and `notice list ID` say why; then `webhook redeliver`"
        return Check("notices", FINDING, f"deliveries were given up: {text}", mend)
    if mails and engine.settings.smtp_url is None:
        text = "people are to be told by mail, and no mail server is set"
        return Check("notices", FINDING, text, "set COMMCREDITS_SMTP_URL")
    return Check("notices", OK, "no delivery was given up")


def _miskeyed(engine: Engine) -> Check:
    counts = {each.topic: 0 for each in engine.store.positions()}
    for each in engine.store.positions():
        counts[each.topic] += each.miskeyed
    found = ", ".join(f"{count} on {topic}" for topic, count in counts.items() if count)
    if not found:
        return Check("keys", OK, "every message was keyed by its account")
    text = f"messages that were not keyed by their account: {found}; each was debited once all the same"
    return Check(
        "keys", FINDING, text, "let the publisher key messages by account id, so that one consumer owns an account"
    )


def _provider(engine: Engine) -> Check:
    from application.payments import ProviderError

    provider = engine.provider
    if provider is None:
        return Check("provider", OK, "no payment provider is set up (COMMCREDITS_STRIPE_API_KEY)")
    try:
        provider.account_of(_customer(engine, provider.name))
    except ProviderError as error:
        mend = "what is due waits and is then done once: set COMMCREDITS_STRIPE_API_KEY and _API_BASE right"
        return Check("provider", BROKEN, error.message, mend)
    if engine.settings.stripe_webhook_secret is None:
        text = "Stripe accepts the key, but what it tells by itself (disputes, refunds) is not taken"
        return Check("provider", FINDING, text, "set COMMCREDITS_STRIPE_WEBHOOK_SECRET where `serve` runs")
    return Check("provider", OK, "Stripe accepts the key")


def _customer(engine: Engine, provider: str) -> str:
    """One that something is due for: a key of the other mode (test, live) is accepted, and does not see them."""
    from domain.parts import PARTS
    from projections.duties import TABLE

    if "store" not in engine.__dict__:
        return _NOBODY
    with engine.store.reading() as database:
        for part in PARTS:
            select = f"SELECT account FROM {TABLE} WHERE {part} IS NOT NULL ORDER BY {part} LIMIT ?"  # noqa: S608
            due = [account for (account,) in database.execute(select, (_LOOKED_AT,))]
            for account in engine.accounts.find(due).values():
                if provider in account.customers:
                    return account.customers[provider]
    return _NOBODY


def _kafka(engine: Engine) -> Iterator[Check]:
    from commcredits.consuming import kafka_config
    from consumers.kafka.broker import Broker
    from consumers.kafka.errors import ConsumerError

    if engine.settings.kafka_bootstrap is None:
        yield Check("broker", OK, "no Kafka is configured (COMMCREDITS_KAFKA_BOOTSTRAP)")
        return
    config = replace(kafka_config(engine.settings), broker_patience_seconds=PATIENCE_SECONDS)
    broker = Broker(config, lambda: False)
    try:
        yield from _topics(engine, broker, config)
    except ConsumerError as error:
        name = "positions" if error.code in ("topic_recreated", "position_out_of_range") else "broker"
        yield Check(name, BROKEN, error.message, _MENDS.get(error.code, "see the message"))
    finally:
        broker.close()


def _topics(engine: Engine, broker: "Broker", config: "KafkaConfig") -> "Iterator[Check]":
    """Raises ConsumerError."""
    from consumers.kafka.places import all_partitions, find_places

    topics = broker.topics()
    sizes = ", ".join(f"{name} has {topic.partitions} partitions" for name, topic in topics.items())
    answers = f"{config.bootstrap} answers; {sizes}"
    if compacted := " and ".join(broker.compacted()):
        text = f"{answers}; {compacted} is compacted: only an account's last message stays, and usage is lost unread"
        yield Check("broker", FINDING, text, "set cleanup.policy=delete, and have what is missing sent again")
    else:
        yield Check("broker", OK, answers)
    if "store" not in engine.__dict__:
        return
    places = find_places(engine, broker, topics, all_partitions(topics), accept=False)
    waiting = sum(place.end - place.offset for place in places.values())
    yield Check("positions", OK, f"every position is in its topic; about {waiting} messages wait to be consumed")


_MENDS: Final = {
    "broker_unavailable": "start it, or name the right one",
    "broker_refused": "look at the security settings, COMMCREDITS_KAFKA_…",
    "topic_missing": "make both topics, with equal numbers of partitions",
    "partitions_differ": "add partitions to the smaller topic",
    "topic_recreated": "have what was lost sent again, then `commcredits consume --accept-gap`",
    "position_out_of_range": "have what was lost sent again, then `commcredits consume --accept-gap`",
}
