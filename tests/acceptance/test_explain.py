"""`explain`: the proof computed again; whoever changes a row in the store is found out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.acceptance.conftest import prepare
from tests.support.calls import call, calls
from tests.support.program import Program

CHECKS = ["record", "charge", "billed_seconds", "connection_fee", "payment", "balance", "number", "commitment"]
# places in the stored array of UsageDebited, and in its proof
DURATION, AMOUNT, BALANCE, PROOF, COMMITMENT = 9, 10, 11, 14, 16
PREFIX, FEE, SLOTS, LOTS, DEBT, ROUNDING = 3, 5, 6, 8, 9, 10


def test_a_debit_is_explained_by_its_record_alone(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    program("ingest", program.write("usage", calls(3)))
    explained = program("explain", "u-2")
    assert explained == program("explain", "u-2", "--account", "contoso")
    assert (explained["charge"], explained["recomputed"], explained["matches"]) == ("0.3000", "0.3000", True)
    assert [check["name"] for check in explained["checks"] if check["passed"]] == CHECKS
    assert (explained["usage_id"], explained["account"], explained["log"]) == ("u-2", "contoso", "main")
    assert explained["proof"] == {
        "deck": "default", "deck_version": 1, "direction": "out", "prefix": "447", "origin_prefix": None,
        "connection_fee": "0.05",
        "slots": [
            {"from_second": 0, "rate_per_minute": "0.12", "increment_seconds": 60, "billed_seconds": 60},
            {"from_second": 60, "rate_per_minute": "0.12", "increment_seconds": 1, "billed_seconds": 65},
        ],
        "billed_seconds": 125, "pools": [], "lots": [{"lot": "lot-2", "amount": "0.3000"}], "debt": "0.0000",
        "rounding": "half-up", "decimals": 4, "price": None, "postpaid": None, "flags": [],
    }  # fmt: skip
    assert explained["debit"]["callee"] == "+447071234567"


def test_every_kind_of_debit_matches(contoso: Program) -> None:
    contoso("licence", "assign", "contoso", "us@contoso.com", "MCOPSTN8", "--country", "US")
    lines = [
        call("zero", duration_seconds=0),
        call("inbound", call_type="user_in"),
        call("emergency", call_type="emergency_out", callee="112"),
        call("pool", user_id="us@contoso.com", callee="+12025550143", duration_seconds=60),
        call("split", user_id="us@contoso.com", callee="+12025550143", duration_seconds=9_000),
        call("debt", duration_seconds=100_000),
        call("masked", callee="+38612***", duration_seconds=1),
    ]
    assert contoso("ingest", contoso.write("usage", "".join(lines)))["accepted"] == len(lines)
    for usage_id in ("zero", "inbound", "emergency", "pool", "split", "debt", "masked"):
        assert contoso("explain", usage_id)["matches"] is True


def test_an_as_priced_debit_matches_its_price(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--pricing", "as-priced", "--scale", "2")
    program("ingest", program.write("usage", call(charge="0.123", connection_fee="0.0025", caller=None)))
    explained = program("explain", "u-1")
    assert (explained["charge"], explained["recomputed"], explained["matches"]) == ("0.13", "0.13", True)
    assert explained["proof"]["price"] == "0.123"


def test_an_id_that_several_accounts_have_is_ambiguous(contoso: Program) -> None:
    contoso("account", "open", "other", "--currency", "EUR")
    contoso("ingest", contoso.write("usage", call() + call(account_id="other")))
    error = contoso.refused(5, "explain", "u-1")
    assert (error["code"], error["field"]) == ("ambiguous_usage_id", "account")
    assert contoso("explain", "u-1", "--account", "other")["account"] == "other"


def test_what_was_never_debited_is_not_found(contoso: Program) -> None:
    assert contoso.refused(3, "explain", "u-1")["code"] == "unknown_usage"
    assert contoso.refused(3, "explain", "u-1", "--account", "contoso")["code"] == "unknown_usage"
    assert contoso.refused(3, "explain", "u-1", "--account", "nobody")["code"] == "unknown_account"


def _set(*places: int, to: Any) -> Callable[[list[Any]], None]:
    def change(event: list[Any]) -> None:
        target = event
        for place in places[:-1]:
            target = target[place]
        target[places[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (_set(AMOUNT, to="0.2000"), ["charge", "payment", "balance"]),
        (_set(BALANCE, to="1000.0000"), ["balance"]),
        (_set(DURATION, to=65), ["billed_seconds", "commitment"]),
        (_set(PROOF, SLOTS, 0, 1, to="0.11"), ["charge"]),
        (_set(PROOF, SLOTS, 1, 3, to=5), ["charge", "billed_seconds"]),
        (_set(PROOF, FEE, to="0.04"), ["charge"]),
        (_set(PROOF, ROUNDING, to="sideways"), ["charge"]),
        (_set(PROOF, FEE, to="NaN"), ["charge"]),
        (_set(PROOF, LOTS, 0, 1, to="0.1000"), ["payment"]),
        (_set(PROOF, DEBT, to="-1.0000"), ["payment"]),
        (_set(PROOF, PREFIX, to="1"), ["number"]),
        (_set(PROOF, to=None), ["charge", "number"]),
        (_set(COMMITMENT, to="AAAA"), ["commitment"]),
        (_set(AMOUNT, to="a lot"), ["record"]),
    ],
)
def test_a_row_that_was_changed_in_the_store_is_found_out(
    contoso: Program, change: Callable[[list[Any]], None], failed: list[str]
) -> None:
    contoso("ingest", contoso.write("usage", calls(2)))
    with closing(sqlite3.connect(contoso.directory / "commcredits.db")) as database, database:
        where = "topic = 'UsageDebited' ORDER BY rowid LIMIT 1"
        rowid, state = database.execute(f"SELECT rowid, state FROM stored_events WHERE {where}").fetchone()
        event = json.loads(state)
        change(event)
        database.execute(
            "UPDATE stored_events SET state = ? WHERE rowid = ?",
            (json.dumps(event, separators=(",", ":")).encode(), rowid),
        )
    answer = contoso.run("explain", "u-1")
    assert answer.code == 1, answer
    assert answer.json["matches"] is False
    assert [check["name"] for check in answer.json["checks"] if check["passed"] is False] == failed
    assert all(check["detail"] for check in answer.json["checks"] if check["passed"] is False)


def test_after_erasure_the_charge_is_still_proved_and_the_person_is_gone(contoso: Program) -> None:
    contoso("ingest", contoso.write("usage", call()))
    with closing(sqlite3.connect(contoso.directory / "commcredits.db")) as database, database:
        database.execute("DELETE FROM data_keys WHERE purpose = 'data'")
    answer = contoso.run("explain", "u-1")
    assert (answer.code, answer.json["matches"], answer.json["recomputed"]) == (0, True, "0.3000")
    undecided = [check["name"] for check in answer.json["checks"] if check["passed"] is None]
    assert undecided == ["number", "commitment"]
    assert answer.json["debit"]["callee"] is None
    assert b"447071234567" not in answer.out
