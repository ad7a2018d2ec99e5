"""What is read back: streams with their snapshots, the log, usages by key, personal data's rows, read models."""

from __future__ import annotations

import pytest

from application.ports import Commit, NewEvent, Store, WriteConflict
from domain.events import UnknownEvent
from tests.support.stores import closed, debit, events, key, stream, user


def versions(store: Store, *originators: object) -> list[tuple[bytes | None, int, list[int]]]:
    found = store.load_streams(originators)  # type: ignore[arg-type]
    return [(found[o][0], found[o][1], [each.originator_version for each in found[o][2]]) for o in originators]  # type: ignore[index]


def test_a_stream_is_read_between_versions(store: Store) -> None:
    account, other = stream(), stream()
    store.commit(Commit(events=[*events(account, range(1, 6)), *events(other, [1])]))

    assert [each.originator_version for each in store.select_events(account)] == [1, 2, 3, 4, 5]
    assert [each.originator_version for each in store.select_events(account, gt=2, lte=4)] == [3, 4]
    assert store.select_events(stream()) == []


def test_versions_that_are_taken_are_told_from_those_that_are_not(store: Store) -> None:
    grown, as_known, unknown = stream(), stream(), stream()
    store.commit(Commit(events=[*events(grown, range(1, 4)), *events(as_known, range(1, 3))]))

    assert store.taken_versions({grown: 3, as_known: 3, unknown: 1}) == {grown}
    assert store.taken_versions({}) == set()


def test_an_event_of_a_newer_program_is_an_error(store: Store) -> None:
    account = stream()
    store.commit(Commit(events=[NewEvent(account, 1, "Invented", b"[]")]))

    with pytest.raises(UnknownEvent):
        store.select_events(account)
    with pytest.raises(UnknownEvent):
        store.load_streams([account])


def test_streams_load_from_their_newest_snapshot_on(store: Store) -> None:
    with_snapshot, without, unknown = stream(), stream(), stream()
    store.commit(Commit(events=[*events(with_snapshot, range(1, 8)), *events(without, range(1, 4))]))

    store.put_snapshots([(with_snapshot, 3, "Account", b"at 3")])
    store.put_snapshots([(with_snapshot, 5, "Account", b"\0at 5")])

    assert versions(store, with_snapshot, unknown, without) == [
        (b"\0at 5", 5, [6, 7]),
        (None, 0, []),
        (None, 0, [1, 2, 3]),
    ]
    assert store.load_streams([]) == {}


def test_a_snapshot_that_comes_late_does_not_hide_a_newer_one(store: Store) -> None:
    account = stream()
    store.commit(Commit(events=events(account, range(1, 8))))
    store.put_snapshots([(account, 6, "Account", b"at 6")])

    store.put_snapshots([(account, 4, "Account", b"at 4"), (account, 6, "Account", b"at 6 anew")])
    store.put_snapshots([])

    assert versions(store, account) == [(b"at 6 anew", 6, [7])]


def test_the_log_is_read_in_pieces_and_by_topic(store: Store) -> None:
    account = stream()
    store.commit(Commit(events=[debit(account, n, bytes([n]) * 16) for n in range(1, 8)]))
    store.commit(Commit(events=[NewEvent(account, n, f"Other{n}", closed()) for n in range(8, 11)]))

    def positions(after: int, limit: int, upto: int | None = None, topics: tuple[str, ...] = ()) -> list[int]:
        return [row[0] for row in store.select_log(after, limit, upto, topics)]

    assert positions(0, 3) == [1, 2, 3]
    assert positions(3, 100) == [4, 5, 6, 7, 8, 9, 10]
    assert positions(3, 100, upto=6) == [4, 5, 6]
    assert positions(0, 100, topics=("Other9", "Other8")) == [8, 9]
    assert positions(8, 1, topics=("Other9", "Other8", "Other10")) == [9]
    assert positions(6, 100, topics=("UsageDebited", "Other10")) == [7, 10]
    assert positions(0, 100, topics=("Unknown",)) == []
    assert store.max_position() == 10
    assert store.count_log(4) == 6


def test_usages_are_found_among_many_keys(store: Store) -> None:
    account = stream()
    keys = [n.to_bytes(16, "big") for n in range(5_000)]
    store.commit(Commit(events=[debit(account, n, keys[n]) for n in range(1, 2_000)]))

    found = store.find_usages(keys)

    assert sorted(found) == keys[1:2_000]
    assert all(found[keys[n]].originator_version == n for n in range(1, 2_000))
    assert store.find_usages([]) == {}


def test_keys_and_users_are_found_among_others(store: Store) -> None:
    store.commit(
        Commit(
            keys=[key("contoso", 202611, b"nov"), key("contoso", 202610, b"oct"), key("fabrikam", 202611)],
            users=[user("contoso", "p1", b"\0ana"), user("fabrikam", "p2", b"\0ana"), user("contoso", "p3", b"bor")],
        )
    )

    assert store.data_keys([("contoso", "data", 202610), ("contoso", "lookup", 0)]) == {
        ("contoso", "data", 202610): b"oct"
    }
    assert store.users([("contoso", b"\0ana"), ("fabrikam", b"bor")]) == {("contoso", b"\0ana"): "p1"}
    assert store.user_names(["p3", "p9"]) == {"p3": ("contoso", b"sealed p3")}
    assert (store.data_keys([]), store.users([]), store.user_names([])) == ({}, {}, {})


def test_read_models_have_their_own_tables_in_transactions(store: Store) -> None:
    with store.transaction() as database:
        database.execute("CREATE TABLE model (account text PRIMARY KEY, amount text, at bigint)")
        database.executemany("INSERT INTO model VALUES (?, ?, ?)", [("a", "1.00", 1), ("b", "2%", None)])
        database.copy_rows("model", ["account", "amount", "at"], (("c", "?\t\\N", 1 << 50) for _ in range(1)))
        assert database.execute("UPDATE model SET at = 7 WHERE account = ?", ["a"]) == []

    def fail_after_a_change() -> None:
        with store.transaction() as database:
            database.execute("DELETE FROM model")
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail_after_a_change()

    with store.reading() as database:
        rows = database.execute("SELECT * FROM model WHERE amount LIKE '%' ORDER BY account")
    assert rows == [("a", "1.00", 7), ("b", "2%", None), ("c", "?\t\\N", 1 << 50)]
    with pytest.raises(WriteConflict), store.transaction() as database:
        database.execute("INSERT INTO model VALUES ('a', '', 0)")


def test_many_rows_go_in_at_once(store: Store) -> None:
    with store.transaction() as database:
        database.execute("CREATE TABLE model (n integer PRIMARY KEY, text text)")
        database.executemany("INSERT INTO model VALUES (?, ?)", [(n, "x" * 500) for n in range(20_000)])
        assert database.execute("SELECT count(*), sum(length(text)) FROM model") == [(20_000, 10_000_000)]


def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    account = stream()
    store.commit(Commit(events=events(account, [1])))

    with store.reading() as database:
        before = database.execute("SELECT count(*) FROM stored_events")
        store.commit(Commit(events=events(account, [2])))
        assert database.execute("SELECT count(*) FROM stored_events") == before == [(1,)]

    assert store.max_position() == 2
