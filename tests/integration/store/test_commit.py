"""One commit is one transaction: all of it is there afterwards or nothing, and whoever is second is told."""

from __future__ import annotations

from uuid import UUID

import pytest
from msgspec.structs import astuple

from application.ports import (
    Commit,
    Letter,
    NewEvent,
    Position,
    PositionMoved,
    PositionSwap,
    Store,
    StoreError,
    WriteConflict,
)
from tests.support.stores import closed, debit, events, key, letter, step, stream, user


def first(partition: int = 0, reached: int = 10, topic_id: str = "made-1") -> PositionSwap:
    return PositionSwap("call-usage", partition, topic_id, None, reached)


def move(expected: int, reached: int, partition: int = 0, topic_id: str = "made-1", stored: str = "") -> PositionSwap:
    return PositionSwap("call-usage", partition, topic_id, expected, reached, stored)


def everything(account: UUID) -> Commit:
    return Commit(
        events=[debit(account, 1, b"k" * 16), *events(account, [2])],
        positions=[first(0), first(1)],
        letters=[letter("l1")],
        keys=[key("contoso")],
        users=[user("contoso", "p1", b"look")],
        deck_contents=[("europe", 1, b"\0rates")],
    )


def contents(store: Store, account: UUID) -> tuple[object, ...]:
    return (
        [row[1:] for row in store.select_log(0, 100)],
        store.positions(),
        store.letters(),
        store.data_keys([("contoso", "data", 202611)]),
        store.users([("contoso", b"look")]),
        store.user_names(["p1"]),
    )


def test_all_parts_of_a_commit_can_be_read_back(store: Store) -> None:
    account = stream()

    store.commit(everything(account))

    assert contents(store, account) == (
        [(account, 1, "UsageDebited", b"[]"), (account, 2, "AccountClosed", closed())],
        [Position("call-usage", 0, "made-1", 10), Position("call-usage", 1, "made-1", 10)],
        [letter("l1")],
        {("contoso", "data", 202611): b"wrapped"},
        {("contoso", b"look"): "p1"},
        {"p1": ("contoso", b"sealed p1")},
    )
    assert store.deck_content("europe", 1) == b"\0rates"
    with pytest.raises(KeyError):
        store.deck_content("europe", 2)


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        ("version", WriteConflict),
        ("usage key", WriteConflict),
        ("data key", WriteConflict),
        ("pseudonym", WriteConflict),
        ("look-up", WriteConflict),
        ("first position", PositionMoved),
        ("position", PositionMoved),
        ("topic made anew", PositionMoved),
    ],
)
def test_what_is_taken_already_refuses_the_whole_commit(store: Store, taken: str, refused: type[StoreError]) -> None:
    account, other = stream(), stream()
    store.commit(everything(account))
    before = contents(store, account)
    again = Commit(
        events=events(other, [1]),
        positions=[move(10, 20)],
        letters=[letter("l2")],
        keys=[key("fabrikam")],
        users=[user("fabrikam", "p2", b"look")],
    )
    match taken:
        case "version":
            again.events = [*again.events, *events(account, [2], "another")]
        case "usage key":
            again.events = [*again.events, debit(other, 2, b"k" * 16)]
        case "data key":
            again.keys = [*again.keys, key("contoso", wrapped=b"another")]
        case "pseudonym":
            again.users = [*again.users, user("fabrikam", "p1", b"new")]
        case "look-up":
            again.users = [*again.users, user("contoso", "p3", b"look")]
        case "first position":
            again.positions = [first(1)]
        case "position":
            again.positions = [move(10, 20), move(9, 20, partition=1)]
        case "topic made anew":
            again.positions = [move(10, 20, topic_id="made-2")]

    with pytest.raises(refused):
        store.commit(again)

    assert contents(store, account) == before
    assert store.users([("fabrikam", b"look")]) == {}
    assert store.data_keys([("fabrikam", "data", 202611)]) == {}


def test_a_store_that_refused_goes_on(store: Store) -> None:
    account = stream()
    store.commit(Commit(events=events(account, [1])))
    with pytest.raises(WriteConflict):
        store.commit(Commit(events=events(account, [1], "another")))

    store.commit(Commit(events=events(account, [2])))

    assert [each.originator_version for each in store.select_events(account)] == [1, 2]


def test_positions_move_without_events_and_an_accepted_gap_replaces_the_topic_id(store: Store) -> None:
    store.commit(Commit(positions=[first(0), first(1)]))

    store.commit(Commit(positions=[move(10, 20), move(10, 15, partition=1)]))
    store.commit(Commit(positions=[move(20, 3, topic_id="made-2", stored="made-1")]))

    assert store.positions() == [Position("call-usage", 0, "made-2", 3), Position("call-usage", 1, "made-1", 15)]


def test_messages_keyed_otherwise_are_summed_beside_the_position(store: Store) -> None:
    store.commit(Commit(positions=[first()._replace(miskeyed=2)]))
    store.commit(Commit(positions=[move(10, 20)._replace(miskeyed=3)]))

    assert [each.miskeyed for each in store.positions()] == [5]


def test_events_are_in_the_order_of_the_commit_and_follow_each_other(store: Store) -> None:
    streams = [stream() for _ in range(7)]
    batch = [NewEvent(streams[n % 7], n // 7 + 1, "AccountClosed", closed(str(n)), None) for n in range(5_000)]

    store.commit(Commit(events=batch))

    log = store.select_log(0, 10_000)
    assert [row[1:] for row in log] == [astuple(each)[:4] for each in batch]
    assert [row[0] for row in log] == list(range(1, 5_001))


def test_states_and_keys_come_back_as_they_were(store: Store) -> None:
    account = stream()
    states = [b"", b"\0", b"\xff\xfe", b"\\N\t\n\\.", b"'; DROP TABLE stored_events; --", b"x" * 3_000_000]
    keys = [bytes([n]) * 16 for n in range(len(states))]
    topics = ["UsageDebited", "Ž", "t" * 300, "%s", "?", '"']
    batch = [NewEvent(account, n + 1, *each) for n, each in enumerate(zip(topics, states, keys, strict=True))]

    store.commit(Commit(events=batch))

    assert [row[2:] for row in store.select_log(0, 10)] == [astuple(each)[1:4] for each in batch]
    found = store.find_usages(keys)
    assert [found[each].state for each in keys] == states
    assert [found[each][:3] for each in keys] == [(n, account, n) for n in range(1, 7)]


def test_an_empty_commit_writes_nothing(store: Store) -> None:
    store.commit(Commit())

    assert store.max_position() == 0


@pytest.mark.parametrize(("kind", "stored"), [("kafka", 1), ("file", 2)])
def test_a_letter_is_stored_once_and_a_files_again_after_it_was_closed(store: Store, kind: str, stored: int) -> None:
    same = [letter(name, b"the same record", kind) for name in ("l1", "l2", "l3")]
    store.commit(Commit(letters=same[:2]))
    store.commit(Commit(letters=same[1:2]))
    assert [each.id for each in store.letters()] == ["l1"]

    store.commit(Commit(letter_steps=[step(same[0])]))
    store.commit(Commit(letters=same[2:]))

    assert len(store.letters()) == stored
    assert len(store.letters(status="open")) == stored - 1


def test_a_letter_is_settled_once_and_each_try_is_kept(store: Store) -> None:
    one = letter("l1")
    store.commit(Commit(letters=[one]))
    tried, discarded = step(one, 1, "open"), step(one, 2)

    store.commit(Commit(letter_steps=[tried]))
    [after_try] = store.letters()
    store.commit(Commit(letter_steps=[discarded]))
    [after_discard] = store.letters()
    with pytest.raises(WriteConflict):
        store.commit(Commit(letter_steps=[step(one, 2, "retried")], events=events(stream(), [1])))

    assert (after_try.status, after_try.reason, after_try.steps, after_try.resolved_at) == (
        "open",
        tried.reason,
        1,
        None,
    )
    assert (after_discard.status, after_discard.steps, after_discard.note) == ("discarded", 2, "seen")
    assert (after_discard.resolved_at, after_discard.resolved_by) == (discarded.at, "ana")
    assert store.letter_steps("l1") == [tried, discarded]
    assert store.max_position() == 0


def test_a_letter_takes_the_key_of_what_it_has_become_unless_another_open_one_has_it(store: Store) -> None:
    one, two = letter("l1", b"one", "file"), letter("l2", b"two", "file")
    store.commit(Commit(letters=[one, two]))

    store.commit(Commit(letter_steps=[step(one, 1, "open", b"two")]))
    store.commit(Commit(letter_steps=[step(two, 1, "open", b"three")]))

    assert [each.source_key for each in store.letters()] == [b"one", b"three"]


def test_letters_are_found_by_id_reason_and_status_in_order(store: Store) -> None:
    others: list[Letter] = [letter(f"l{n}") for n in range(5)]
    store.commit(Commit(letters=others[::-1], letter_steps=[step(others[3]), step(others[1], status="open")]))

    def ids(**wanted: object) -> list[str]:
        return [each.id for each in store.letters(**wanted)]  # type: ignore[arg-type]

    assert ids() == ["l0", "l1", "l2", "l3", "l4"]
    assert ids(status="open") == ["l0", "l1", "l2", "l4"]
    assert ids(reason="ambiguous_rate") == ["l1"]
    assert ids(status="open", reason="no_rate", after="l0", limit=1) == ["l2"]
    assert ids(ids=["l4", "l0", "l9"]) == ["l0", "l4"]


def test_the_log_has_a_batch_in_its_order_however_its_rows_differ_in_size(store: Store) -> None:
    account = stream()
    batch = [event for version in range(1, 3001) for event in events(account, [version], "x" * (version * 7919 % 1000))]

    store.commit(Commit(batch))

    assert [version for _, _, version, _, _ in store.select_log(0, 5000)] == list(range(1, 3001))
