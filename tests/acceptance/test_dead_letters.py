"""`dead-letters`, `retry`, `discard`: nothing that came in is lost, and what is mended is debited once."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from tests.acceptance.conftest import prepare
from tests.support.calls import call
from tests.support.program import MASTER_KEY, Program, run_process

RETRIED = {"read": 1, "accepted": 1, "duplicates": 0, "conflicts": 0, "dead": 0, "charged": "0.3000", "currency": "EUR"}
STILL_DEAD = RETRIED | {"accepted": 0, "dead": 1, "charged": "0.0000"}


def dead(program: Program, *lines: str) -> list[dict[str, Any]]:
    """Takes lines in and answers the letters that are open then."""
    program.run("ingest", program.write("usage.ndjson", "".join(lines)))
    return program.run("dead-letters", "list", "--status", "open").lines


def test_a_letter_has_the_promised_shape(contoso: Program) -> None:
    [letter] = dead(contoso, call(currency="USD"))
    assert list(letter)[:7] == ["id", "reason", "status", "account", "usage_id", "source", "recorded_at"]
    assert (letter["reason"], letter["status"]) == ("currency_mismatch", "open")
    assert (letter["account"], letter["usage_id"]) == ("contoso", "u-1")
    assert letter["source"] == {"kind": "file", "name": "usage.ndjson", "line": 1}


def test_a_letter_is_shown_whole(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    line = call(callee="tel:12")
    [letter] = dead(program, line)
    shown = program("dead-letters", "show", letter["id"])
    assert (shown["record"], shown["erased"], shown["history"]) == (line.strip(), False, [])
    assert (shown["field"], shown["format"]) == ("callee", "usage")
    assert "tel:12" not in shown["message"]  # which is not encrypted


def test_a_retry_succeeds_when_the_cause_is_gone(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    lines = [call(account_id="late", currency=None), call("u-2", account_id="late", currency=None)]
    assert len(dead(program, *lines)) == 2
    program("account", "open", "late", "--currency", "EUR")
    answer = program("retry", "--reason", "unknown_account")
    assert answer == RETRIED | {"read": 2, "accepted": 2, "charged": "0.6000"}
    assert program.run("dead-letters", "list", "--status", "open").lines == []
    assert program("balance", "late")["balance"] == "-0.6000"
    assert program("retry", "--all")["read"] == 0
    debit = program("explain", "u-2")["debit"]
    assert (debit["source"]["line"], debit["reason"]) == (2, "dead letters retried")


def test_a_retry_that_fails_again_leaves_the_letter_open_with_its_new_reason(contoso: Program) -> None:
    line = call(account_id="late", currency="USD")
    [letter] = dead(contoso, line)
    contoso("account", "open", "late", "--currency", "EUR")
    answer = contoso.run("retry", letter["id"])
    assert (answer.code, answer.json) == (1, STILL_DEAD)
    [still] = dead(contoso, line)  # the file is taken in again: it is not stored twice
    assert (still["id"], still["reason"], still["field"]) == (letter["id"], "currency_mismatch", "currency")
    [step] = contoso("dead-letters", "show", letter["id"])["history"]
    assert (step["action"], step["was"], step["status"]) == ("retry", "unknown_account", "open")
    assert step["reason"] == "currency_mismatch"


@pytest.mark.parametrize(
    ("line", "patch"),
    [
        (call(currency="USD"), ["currency=EUR"]),
        (call(callee=None), ["callee=+447071234567"]),
        (call(call_type="userout"), ["call_type=user_out"]),
        (call(duration_seconds="two minutes"), ["duration_seconds=125"]),
        (call(started_at=None, duration_seconds=None), ["started_at=2026-11-22T10:00:00Z", "duration_seconds=125"]),
        (call(account_id="contso"), ["account_id=contoso"]),
        (call(currency="USD"), ["currency="]),
        ('{"charge":1,"charge":2,' + call()[1:], ["charge="]),
    ],
)
def test_a_field_is_changed_and_the_change_is_kept(contoso: Program, line: str, patch: list[str]) -> None:
    [letter] = dead(contoso, line)
    assert contoso("retry", letter["id"], "--patch", *patch) == RETRIED
    shown = contoso("dead-letters", "show", letter["id"])
    assert (shown["status"], shown["record"]) == ("retried", line.strip())
    [step] = shown["history"]
    given = dict(each.split("=", 1) for each in patch)
    assert (step["fields"], step["patch"]) == (list(given), given)
    debit = contoso("explain", "u-1")["debit"]
    assert debit["reason"] == f"dead letter {letter['id']} retried with {', '.join(given)} changed"


def test_rows_and_events_are_changed_by_their_own_names(contoso: Program) -> None:
    header = (
        "UsageId,UPN,Caller ID,Call Type,Number Type,Destination Number,Start Time,Duration Seconds,Currency,Capability"
    )
    row = "u-1,ana@contoso.com,38612345678,user_out,Subscriber,,2026-11-22T10:00:00Z,125,EUR,MCOPSTN1"
    contoso.run("ingest", contoso.write("export.csv", f"{header}\n{row}\n"), "--account", "contoso")
    event = (
        '{"specversion":"1.0","type":"commcredits.usage.v2","source":"pbx","id":"1","subject":"contoso","data":'
        + call("e-1").strip() + "}\n"
    )  # fmt: skip
    letters = dead(contoso, event)
    assert [(letter["reason"], letter["field"]) for letter in letters] == [
        ("missing_field", "Destination Number"),
        ("invalid_field", "type"),
    ]
    assert contoso("retry", letters[0]["id"], "--patch", "Destination Number=447071234567") == RETRIED
    assert contoso("retry", letters[1]["id"], "--patch", "type=commcredits.usage.v1") == RETRIED


def test_a_change_that_cannot_be_is_refused_and_leaves_the_letter_alone(contoso: Program) -> None:
    letter, rubbish = dead(contoso, call(currency="USD"), "{")
    error = contoso.refused(2, "retry", letter["id"], "--patch", "curency=EUR")
    assert (error["code"], error["message"]) == (
        "unknown_field",
        "the record has no field 'curency'; did you mean currency?",
    )
    assert contoso.refused(5, "retry", rubbish["id"], "--patch", "currency=EUR")["code"] == "not_patchable"
    assert contoso.refused(2, "retry", "--all", "--patch", "currency=EUR")["field"] == "patch"
    assert contoso.refused(2, "retry")["code"] == "wrong_use"
    assert contoso.refused(2, "retry", letter["id"], "--all")["code"] == "wrong_use"
    assert contoso.refused(3, "retry", "0000")["code"] == "unknown_letter"
    assert contoso("dead-letters", "show", letter["id"])["history"] == []


def test_a_key_that_stands_twice_is_not_mended_by_changing_another(contoso: Program) -> None:
    [letter] = dead(contoso, '{"charge":1,"charge":2,' + call()[1:])
    answer = contoso.run("retry", letter["id"], "--patch", "currency=EUR")
    assert (answer.code, answer.json["dead"]) == (1, 1)
    assert contoso("dead-letters", "show", letter["id"])["reason"] == "duplicate_key"


def test_a_conflict_is_a_letter_that_can_be_taken_under_another_id(contoso: Program) -> None:
    [letter] = dead(contoso, call(), call(duration_seconds=60))
    assert letter["reason"] == "conflict"
    answer = contoso.run("retry", letter["id"])
    assert (answer.code, answer.json["conflicts"]) == (1, 1)
    assert contoso("retry", letter["id"], "--patch", "usage_id=u-1b")["accepted"] == 1
    assert contoso("explain", "u-1b")["charge"] == "0.1700"


def test_a_letter_is_retried_once_and_given_up_with_a_reason(contoso: Program) -> None:
    retried, other, third = dead(contoso, call(currency="USD"), call("u-2", currency="USD"), "{")
    contoso("retry", retried["id"], "--patch", "currency=EUR")
    assert contoso("retry", retried["id"], "--patch", "currency=EUR")["read"] == 0
    assert "was taken in already: nothing is done" in contoso.run("retry", retried["id"]).err
    assert contoso.refused(5, "discard", retried["id"], "--note", "x")["code"] == "letter_retried"
    assert contoso.refused(2, "discard", other["id"])["code"] == "missing_argument"
    assert contoso("discard", other["id"], "--note", "a test call")["discarded"] == 1
    assert contoso("discard", other["id"], "--note", "again")["discarded"] == 0
    assert contoso.refused(5, "retry", other["id"])["code"] == "letter_discarded"
    assert contoso("discard", "--reason", "undecodable", "--note", "noise")["discarded"] == 1
    shown = contoso("dead-letters", "show", other["id"])
    assert (shown["status"], shown["note"], shown["resolved_at"] is not None) == ("discarded", "a test call", True)
    assert contoso("balance", "contoso")["balance"] == "99.7000"
    statuses = [letter["status"] for letter in contoso.run("dead-letters", "list").lines]
    assert statuses == ["retried", "discarded", "discarded"]
    assert [third["id"]] == [
        letter["id"] for letter in contoso.run("dead-letters", "list", "--reason", "undecodable").lines
    ]


def test_after_erasure_a_letter_says_so_and_can_only_be_given_up(contoso: Program) -> None:
    [letter] = dead(contoso, call(currency="USD"))
    contoso.run("retry", letter["id"], "--patch", "callee=+447000000000")
    with closing(sqlite3.connect(contoso.directory / "commcredits.db")) as database, database:
        database.execute("DELETE FROM data_keys WHERE purpose = 'data'")
    shown = contoso("dead-letters", "show", letter["id"])
    assert (shown["record"], shown["erased"]) == (None, True)
    assert (shown["history"][0]["fields"], shown["history"][0]["patch"]) == (["callee"], None)
    answer = contoso.run("retry", letter["id"])
    assert (answer.code, answer.json["dead"]) == (1, 1)
    assert contoso("dead-letters", "show", letter["id"])["reason"] == "erased"
    assert contoso("discard", letter["id"], "--note", "erased on request")["discarded"] == 1


def test_what_was_changed_is_nowhere_in_the_clear(contoso: Program) -> None:
    [letter] = dead(contoso, call(currency="USD", callee="+38612000111"))
    contoso("retry", letter["id"], "--patch", "currency=EUR", "callee=+38612000999")
    stored = b"".join(path.read_bytes() for path in contoso.directory.glob("commcredits.db*"))
    assert b"38612000111" not in stored
    assert b"38612000999" not in stored


def test_two_operators_who_retry_one_letter_under_two_ids_debit_it_once(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    letters = dead(program, *(call(f"c-{number}", currency="USD") for number in range(6)))
    environment = {"COMMCREDITS_STORE": program.store, "COMMCREDITS_MASTER_KEY": MASTER_KEY}

    def retry(letter_id: str, usage_id: str) -> int:
        patch = ("--patch", "currency=EUR", f"usage_id={usage_id}")
        answer = run_process("retry", letter_id, *patch, "--json", environment=environment, directory=program.directory)
        assert answer.code == 0, answer
        accepted: int = answer.json["accepted"]
        return accepted

    tries = [(letter["id"], f"{letter['usage_id']}-{who}") for letter in letters for who in "ab"]
    with ThreadPoolExecutor(2) as pool:
        accepted = list(pool.map(lambda each: retry(*each), tries))
    assert [sum(accepted[place : place + 2]) for place in range(0, 12, 2)] == [1] * 6
    assert program("balance", "contoso")["balance"] == "98.2000"
