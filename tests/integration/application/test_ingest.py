"""The write path: nothing lost, nothing charged twice, a conflict is kept, on both stores."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec
import pytest

from application.accounts import SNAPSHOT_EVERY, SNAPSHOT_LATEST
from application.ingest import LOOKED_UP
from application.privacy import usage_key
from domain.commands import Level
from domain.events import UsageDebited, account_stream
from domain.usage import Refusal, Usage
from tests.support.engine import TestEngine
from tests.support.given import rate, usage

Open = Callable[[], TestEngine]
LATEST = SNAPSHOT_EVERY * SNAPSHOT_LATEST  # events of an account without a snapshot


@pytest.fixture
def engines(store_url: str) -> Iterator[Open]:
    """Each call is another process on the same store."""
    made: list[TestEngine] = []

    def make() -> TestEngine:
        made.append(TestEngine(store_url))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture
def engine(engines: Open) -> TestEngine:
    """An account with 10 and a deck."""
    engine = engines()
    engine.open()
    engine.fund("10")
    engine.deck()
    return engine


def _calls(count: int, start: int = 0) -> list[Usage]:
    return [usage(usage_id=f"u-{number}", caller="+38612345678") for number in range(start, start + count)]


def _counts(tally: object) -> tuple[int, ...]:
    return tuple(getattr(tally, name) for name in ("read", "accepted", "duplicates", "conflicts", "dead"))


def test_each_usage_is_one_event_and_the_balance_is_their_sum(engine: TestEngine) -> None:
    tally = engine.take(*_calls(5))
    assert _counts(tally) == (5, 5, 0, 0, 0)
    assert tally.charged == {"EUR": Decimal("0.6000")}
    assert engine.balance() == Decimal("9.4000")
    assert sum(isinstance(event, UsageDebited) for event in engine.events()) == 5


def test_the_same_usage_again_is_a_duplicate_wherever_it_comes_from(engine: TestEngine, engines: Open) -> None:
    calls = _calls(3)
    engine.take(*calls)
    assert _counts(engine.take(*calls, name="again.csv")) == (3, 0, 3, 0, 0)
    again = [msgspec.structs.replace(call, caller="38612345678", user_name="Ana", format="graph") for call in calls]
    assert _counts(engines().take(*again)) == (3, 0, 3, 0, 0)
    assert engine.balance() == Decimal("9.6400")


def test_an_account_that_grows_by_thousands_in_one_batch_is_quickly_loaded_afterwards(engine: TestEngine) -> None:
    engine.take(*_calls(LATEST + SNAPSHOT_EVERY))
    engine.take(*_calls(SNAPSHOT_EVERY, start=LATEST + SNAPSHOT_EVERY))
    stream = account_stream(engine.accounts.get("contoso").account_id)
    [(state, version, later)] = engine.store.load_streams([stream]).values()
    assert state is not None
    assert version + len(later) == engine.accounts.get("contoso").version
    assert len(later) <= LATEST


def test_an_id_that_stands_twice_in_one_batch_is_charged_once(engine: TestEngine) -> None:
    (call,) = _calls(1)
    other = msgspec.structs.replace(call, duration_seconds=600)
    assert _counts(engine.take(call, call, other)) == (3, 1, 1, 1, 0)
    assert engine.balance() == Decimal("9.8800")


@pytest.mark.parametrize(
    "change",
    [
        {"duration_seconds": 61},
        {"callee": "+442071234568"},
        {"callee": "+44207123456*"},
        {"caller": "+38612345679"},
        {"call_type": "user_out_transfer"},
        {"started_at": usage().started_at + 1},
        {"started_at": usage().started_at - 40 * 86_400_000_000},
        {"number_type": "user"},
        {"conference_id": "c-1"},
        {"capability": "MCOPSTN1"},
    ],
)
def test_the_same_id_with_other_content_is_a_conflict_and_kept(engine: TestEngine, change: dict[str, object]) -> None:
    (call,) = _calls(1)
    engine.take(call)
    assert _counts(engine.take(msgspec.structs.replace(call, **change))) == (1, 0, 0, 1, 0)
    assert engine.balance() == Decimal("9.8800")
    (letter,) = engine.store.letters()
    assert (letter.reason, letter.usage_id, letter.status) == ("conflict", "u-0", "open")


def test_what_is_not_in_the_commitment_makes_no_conflict(engine: TestEngine) -> None:
    (call,) = _calls(1)
    engine.take(call)
    same = msgspec.structs.replace(
        call, user_id="other@contoso.com", user_name="Other", call_id="x", extra=b'{"a":1}', charge=Decimal(7)
    )
    assert _counts(engine.take(same)) == (1, 0, 1, 0, 0)


def test_on_as_priced_accounts_the_price_is_content_but_its_trailing_zeros_are_not(engine: TestEngine) -> None:
    engine.open("priced", pricing="as-priced")
    call = msgspec.structs.replace(usage(usage_id="p"), account_id="priced", charge=Decimal("0.10"))
    free = msgspec.structs.replace(call, usage_id="e", call_type="emergency_out")
    assert _counts(engine.take(call, free)) == (2, 2, 0, 0, 0)
    assert _counts(engine.take(msgspec.structs.replace(call, charge=Decimal("0.1000")), free)) == (2, 0, 2, 0, 0)
    assert _counts(engine.take(msgspec.structs.replace(call, charge=Decimal("0.11")))) == (1, 0, 0, 1, 0)
    named = msgspec.structs.replace(call, currency="EUR")  # as without one: a price is in the account's currency
    assert _counts(engine.take(named)) == (1, 0, 1, 0, 0)
    assert _counts(engine.take(msgspec.structs.replace(call, currency="USD"))) == (1, 0, 0, 1, 0)


def test_an_emergency_call_is_never_refused_whatever_currency_its_record_names(engine: TestEngine) -> None:
    assert _counts(engine.take(usage("112", call_type="emergency_out", currency="USD"))) == (1, 1, 0, 0, 0)


def test_a_refused_usage_does_not_hold_its_id(engine: TestEngine) -> None:
    (call,) = _calls(1)
    dollars = msgspec.structs.replace(call, currency="USD")
    assert _counts(engine.take(dollars)) == (1, 0, 0, 0, 1)
    assert _counts(engine.take(call)) == (1, 1, 0, 0, 0)


def test_a_usage_that_would_be_refused_now_but_was_taken_before_is_a_duplicate_or_a_conflict(
    engine: TestEngine,
) -> None:
    (call,) = _calls(1)
    engine.take(call)
    dollars = msgspec.structs.replace(call, currency="USD")
    assert _counts(engine.take(dollars)) == (1, 0, 1, 0, 0)  # the currency is not content of a rated usage
    assert _counts(engine.take(msgspec.structs.replace(dollars, callee="nobody"))) == (1, 0, 0, 1, 0)


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"account_id": "nobody"}, "unknown_account", "account_id"),
        ({"currency": "USD"}, "currency_mismatch", "currency"),
        ({"started_at": usage(start="2026-11-23T12:00:00.000001Z").started_at}, "start_in_future", "started_at"),
        ({"callee": ""}, "missing_field", "callee"),
        ({"callee": "sip:bob"}, "invalid_field", "callee"),
        ({"callee": "+999123"}, "no_rate", "callee"),
        ({"callee": "+33*"}, "ambiguous_rate", "callee"),
    ],
)
def test_what_cannot_be_taken_is_a_dead_letter_with_reason_field_and_source(
    engine: TestEngine, change: dict[str, object], reason: str, field: str
) -> None:
    engine.open("other")
    engine.deck(rate("44", "0.12"), rate("33", "0.1"), rate("336", "0.2"))
    call = msgspec.structs.replace(usage(usage_id="d", start="2026-11-22T12:00:00Z"), **change)
    assert _counts(engine.take(call)) == (1, 0, 0, 0, 1)
    (letter,) = engine.store.letters()
    assert (letter.reason, letter.field, letter.source) == (reason, field, ("file", "calls.csv", 1, 0))


@pytest.mark.parametrize("callee", ["+48221234567", "48-22-1234567"])
def test_a_letter_tells_no_number_outside_its_sealed_record(engine: TestEngine, callee: str) -> None:
    """The table's other columns outlive the key that seals the record."""
    engine.deck(rate("44", "0.12"))
    assert _counts(engine.take(usage(callee, start="2026-11-22T12:00:00Z"))) == (1, 0, 0, 0, 1)
    with engine.store.reading() as database:
        assert callee[-7:] not in repr(database.execute("SELECT * FROM dead_letters"))


def test_the_same_bad_record_in_the_same_file_is_stored_once_while_its_letter_is_open(engine: TestEngine) -> None:
    bad = Refusal("undecodable", "", "it is no JSON", b"{", "", "")
    assert _counts(engine.take(bad, bad)) == (2, 0, 0, 0, 2)
    assert _counts(engine.take(bad)) == (1, 0, 0, 0, 1)
    assert len(engine.store.letters()) == 1


def test_a_top_up_by_another_process_is_noticed_and_the_batch_decided_again(engine: TestEngine, engines: Open) -> None:
    admin = engines()
    for number in range(4):
        admin.fund("1", reference=f"r-{number}")
        engine.take(*_calls(3, number * 3))
    assert engine.balance() == Decimal(10) + 4 - Decimal("1.44")
    assert (
        admin.accounts.get("contoso").version
        < admin.administration.change_settings(
            admin.by(), "contoso", lambda settings: msgspec.structs.replace(settings, name="Contoso")
        ).version
    )


def test_two_processes_that_take_the_same_usage_charge_it_once(engine: TestEngine, engines: Open) -> None:
    other = engines()
    other.take(*_calls(1, 100))
    calls = _calls(4)
    engine.take(*calls)
    other.ingest._to_look_up = 0  # so that only the unique index notices
    assert _counts(other.take(*calls, *_calls(1, 50))) == (5, 1, 4, 0, 0)
    assert engine.balance() == Decimal(10) - Decimal("0.12") * 6


def test_an_id_that_was_taken_just_before_is_looked_up_and_no_other(engine: TestEngine, engines: Open) -> None:
    other = engines()
    other.take(*_calls(1, 100))
    engine.take(*_calls(2))
    asked: list[int] = []
    find_usages = engine.store.find_usages
    engine.store.find_usages = lambda keys: asked.append(len(keys)) or find_usages(keys)  # type: ignore[method-assign, func-returns-value]
    engine.ingest._to_look_up = 0
    assert _counts(engine.take(*_calls(3))) == (3, 1, 2, 0, 0)
    assert asked == [2]
    assert _counts(engine.take(*_calls(1, 100), *_calls(1, 200))) == (2, 1, 1, 0, 0)
    assert engine.ingest._to_look_up == LOOKED_UP  # that one came as a surprise


def test_a_deck_imported_by_another_process_rates_the_next_batch(engine: TestEngine, engines: Open) -> None:
    engine.take(*_calls(1))
    engines().deck(rate("", "0.50"))
    later = msgspec.structs.replace(usage(usage_id="later", start="2026-11-22T12:00:00Z"))
    engine.take(later)
    event = engine.events()[-1]
    assert isinstance(event, UsageDebited)
    assert event.proof is not None
    assert (event.amount, event.proof.deck_version) == (Decimal("0.5000"), 2)


def test_a_trigger_is_in_the_same_commit_as_the_debit_that_makes_it_due(engine: TestEngine) -> None:
    engine.administration.set_recharge(engine.by(), "contoso", Level(Decimal(9), Decimal(50)))
    engine.take(*_calls(20))
    kinds = [type(event).__name__ for event in engine.events()]
    assert kinds.count("AutoRechargeTriggered") == 1
    assert kinds[kinds.index("AutoRechargeTriggered") - 1] == "UsageDebited"


def test_a_deleted_key_takes_names_and_numbers_and_leaves_balances_proofs_and_replay(
    engine: TestEngine, engines: Open
) -> None:
    calls = [msgspec.structs.replace(call, user_id="ana@contoso.com", user_name="Ana") for call in _calls(3)]
    engine.take(*calls)
    before = [event for event in engine.events() if isinstance(event, UsageDebited)]
    plain = engine.vault.unseal("contoso", 202611, _key(calls[0]), before[0].sealed)
    assert plain is not None
    assert b"+442071234567" in plain
    assert b"Ana" in plain
    with engine.store.transaction() as database:
        dump = repr(database.execute("SELECT * FROM stored_events")) + repr(database.execute("SELECT * FROM users"))
        assert "442071234567" not in dump
        assert "ana@contoso" not in dump
        database.execute("DELETE FROM data_keys WHERE account = 'contoso'")
        database.execute("DELETE FROM users")
    fresh = engines()
    assert fresh.vault.unseal("contoso", 202611, _key(calls[0]), before[0].sealed) is None
    assert fresh.vault.names([before[0].user]) == {}
    assert fresh.balance() == Decimal("9.6400")
    assert fresh.events() == engine.events()
    assert _counts(fresh.take(*calls)) == (3, 0, 3, 0, 0)  # by id, after the erasure
    later = msgspec.structs.replace(calls[0], usage_id="late")
    assert _counts(fresh.take(later)) == (1, 1, 0, 0, 0)  # the erased month gets a new key
    assert _counts(fresh.take(*calls)) == (3, 0, 3, 0, 0)  # which says nothing about what is erased
    other = msgspec.structs.replace(later, duration_seconds=later.duration_seconds + 1)
    assert _counts(fresh.take(other)) == (1, 0, 0, 1, 0)  # and still tells a conflict with what came since
    late = fresh.events()[-1]
    assert isinstance(late, UsageDebited)
    assert fresh.vault.unseal("contoso", 202611, _key(later), late.sealed) is not None
    assert fresh.vault.unseal("contoso", 202611, _key(calls[0]), before[0].sealed) is None


def _key(call: Usage) -> bytes:
    return usage_key(call.account_id, call.usage_id)
