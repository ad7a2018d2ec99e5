"""`usage reverse`: a debit is taken back whole, once, with a proof of its own."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.acceptance.conftest import prepare
from tests.support.calls import call, calls
from tests.support.program import Program

LASTS = "2999-01-01T00:00:00Z"
REVERSE = ("usage", "reverse", "u-2", "--reason", "wrong number, ticket 4711")


def test_a_debit_is_taken_back_and_all_that_is_shown_says_so(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    program("ingest", program.write("usage", calls(3)))
    before = program("balance", "contoso")["balance"]
    done = program(*REVERSE, "--key", "4711")
    assert done["proof"].pop("lots")[0]["expires_at"] == LASTS
    assert done == {
        "account": "contoso", "usage_id": "u-2", "amount": "0.3000", "balance": "99.4000",
        "proof": {
            "debit_version": 5, "debt_reduced": "0.0000", "pools": [], "postpaid": "0.0000", "key": "4711",
        },
        "duplicate": False,
    }  # fmt: skip
    assert (before, program("balance", "contoso")["balance"]) == ("99.1000", "99.4000")
    line = program.run("statement", "contoso").lines[-1]
    assert (line["type"], line["amount"], line["balance"], line["usage_id"], line["source"]) == (
        "UsageReversed", "0.3000", "99.4000", "u-2", None,
    )  # fmt: skip
    assert line["proof"]["lots"] == [{"lot": "lot-2", "amount": "0.3000", "new": False, "expires_at": LASTS}]
    explained = program("explain", "u-2")
    assert (explained["charge"], explained["matches"]) == ("0.3000", True)
    assert explained["reversal"]["reason"] == "wrong number, ticket 4711"
    assert explained["reversal"]["proof"] == line["proof"]
    assert program("explain", "u-3")["reversal"] is None


def test_its_id_stays_used(contoso: Program) -> None:
    contoso("ingest", contoso.write("usage", calls(3)))
    contoso(*REVERSE)
    again = contoso("ingest", contoso.write("usage", calls(3)))
    assert (again["accepted"], again["duplicates"]) == (0, 3)
    other = contoso.run("ingest", contoso.write("usage", call("u-2", duration_seconds=1)))
    assert other.json["conflicts"] == 1


def test_a_second_time_is_refused_and_the_same_key_answers_the_same(contoso: Program) -> None:
    contoso("ingest", contoso.write("usage", calls(3)))
    first = contoso(*REVERSE, "--key", "k")
    contoso("ingest", contoso.write("more", call("u-9")))
    assert contoso(*REVERSE, "--key", "k") == {**first, "duplicate": True}
    assert contoso.refused(5, *REVERSE)["code"] == "already_reversed"
    assert contoso.refused(5, *REVERSE, "--key", "other")["code"] == "already_reversed"
    error = contoso.refused(5, "usage", "reverse", "u-3", "--reason", "x", "--key", "k")
    assert (error["code"], error["field"]) == ("key_conflict", "key")
    assert [line["type"] for line in contoso.run("statement", "contoso").lines].count("UsageReversed") == 1


def test_what_is_not_one_debit_is_refused(contoso: Program) -> None:
    contoso("account", "open", "other", "--currency", "EUR")
    contoso("ingest", contoso.write("usage", call() + call(account_id="other")))
    assert contoso.refused(5, "usage", "reverse", "u-1", "--reason", "x")["code"] == "ambiguous_usage_id"
    assert contoso("usage", "reverse", "u-1", "--reason", "x", "--account", "other")["account"] == "other"
    assert contoso.refused(3, "usage", "reverse", "u-7", "--reason", "x")["code"] == "unknown_usage"
    missing = contoso.refused(3, "usage", "reverse", "u-1", "--reason", "x", "--account", "nobody")
    assert missing["code"] == "unknown_account"
    assert contoso.refused(2, "usage", "reverse", "u-1")["field"] == "reason"


def test_pool_minutes_return_and_the_next_call_has_them(contoso: Program) -> None:
    contoso("licence", "assign", "contoso", "us@contoso.com", "MCOPSTN8", "--country", "US")
    american = {"user_id": "us@contoso.com", "callee": "+12025550143", "started_at": "2026-10-05T10:00:00Z"}
    contoso("ingest", contoso.write("usage", call("u-2", duration_seconds=9_000, **american)))
    done = contoso(*REVERSE)
    assert done["proof"]["pools"] == [{"plan": "MCOPSTN8", "kind": "domestic", "minutes": 120}]
    contoso("ingest", contoso.write("usage", call("u-3", duration_seconds=7_200, **american)))
    assert contoso("explain", "u-3")["proof"]["pools"] == done["proof"]["pools"]
    assert contoso("balance", "contoso")["balance"] == "100.0000"


@pytest.mark.parametrize("where", ["amount", "debt_reduced"])
def test_a_correction_that_was_changed_in_the_store_is_found_out(contoso: Program, where: str) -> None:
    contoso("ingest", contoso.write("usage", calls(3)))
    contoso(*REVERSE)
    with closing(sqlite3.connect(contoso.directory / "commcredits.db")) as database, database:
        [[state]] = database.execute("SELECT state FROM stored_events WHERE topic = 'UsageReversed'")
        event = json.loads(state)
        event[{"amount": 11, "debt_reduced": 12}[where]] = "0.4000"
        changed = json.dumps(event, separators=(",", ":")).encode()
        database.execute("UPDATE stored_events SET state = ? WHERE topic = 'UsageReversed'", (changed,))
    answer = contoso.run("explain", "u-2")
    assert (answer.code, answer.json["matches"]) == (1, False)
    assert [check["name"] for check in answer.json["checks"] if check["passed"] is False] == ["reversal"]


def test_a_rebuilt_read_model_is_the_same(contoso: Program) -> None:
    contoso("ingest", contoso.write("usage", calls(30)))
    for number in range(1, 30, 3):
        contoso("usage", "reverse", f"u-{number}", "--reason", "x")
    shown = contoso("balance", "contoso")
    lines = contoso.run("statement", "contoso").out
    contoso("rebuild", "balance")
    contoso("rebuild", "statement")
    again = contoso("balance", "contoso")
    assert {**again, "read_at": shown["read_at"]} == shown
    assert contoso.run("statement", "contoso").out == lines
