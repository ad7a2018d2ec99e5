"""`deck` and `rate`: what carriers send, and what a call would cost by it."""

from __future__ import annotations

import pytest

from tests.support.program import ROOT, Program

SAMPLES = ROOT / "tests" / "samples" / "decks"
BAD = "prefix,rate\n44,0.02\n44,0.03\n1,free\n386,0.01\n"


def test_an_import_says_what_it_made(on_each_store: Program) -> None:
    file = on_each_store.write("deck.csv", "prefix,rate,colour\n44,0.02,red\n386,0.01,\n")
    imported = on_each_store("deck", "import", file, "--name", "retail", "--currency", "EUR")
    assert imported == {
        "deck": "retail", "version": 1, "rates": 2, "bad": [], "bad_total": 0, "ignored_columns": ["colour"],
    }  # fmt: skip
    assert on_each_store("deck", "import", file, "--name", "retail", "--currency", "EUR")["version"] == 2
    [first, second] = on_each_store("deck", "list")
    assert (first["name"], first["version"], first["currency"], first["from"]) == ("retail", 1, "EUR", None)
    assert (second["version"], second["sha256"]) == (2, first["sha256"])


def test_a_dry_run_stores_nothing(program: Program) -> None:
    file = program.write("deck.csv", "prefix,rate\n44,0.02\n")
    assert program("deck", "import", file, "--name", "x", "--currency", "EUR", "--dry-run")["version"] is None
    assert program("deck", "list") == []


def test_one_bad_row_refuses_the_file_in_one_document(program: Program) -> None:
    answer = program.run("deck", "import", program.write("deck.csv", BAD), "--name", "x", "--currency", "EUR")
    assert answer.code == 5
    assert answer.error["code"] == "deck_has_errors"
    assert (answer.json["deck"], answer.json["version"], answer.json["bad_total"]) == ("x", None, 2)
    assert {(bad["line"], bad["other_line"]) for bad in answer.json["bad"]} == {(3, 2), (4, None)}
    assert program("deck", "list") == []


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("deck_has_errors", BAD),
        ("deck_column_missing", "prefix,name\n44,UK\n"),
        ("deck_unreadable", "44,0.02\n"),
        ("ambiguous_date", "prefix,rate,effective date\n44,0.02,10/09/2026\n"),
    ],
)
def test_a_refused_file_is_named(program: Program, code: str, content: str) -> None:
    file = program.write("deck.csv", content)
    answer = program.run("deck", "import", file, "--name", "x", "--currency", "EUR")
    assert (answer.error["code"], answer.error["source"]) == (code, {"kind": "file", "name": str(file), "line": None})


def test_the_good_rows_are_taken_and_the_conflict_is_blocked(program: Program) -> None:
    program.write("deck.csv", BAD)
    answer = program.run("deck", "import", "deck.csv", "--name", "x", "--currency", "EUR", "--skip-bad")
    assert (answer.code, answer.json["version"], answer.json["bad_total"]) == (1, 1, 2)
    assert program("rate", "38612345678", "60")["charge"] == "0.0100"
    assert program.refused(5, "rate", "442071234567", "60")["code"] == "ambiguous_rate"
    assert program.refused(5, "rate", "12025550143", "60")["code"] == "no_rate"


@pytest.mark.parametrize(
    ("exit_code", "code", "line"),
    [
        (2, "currency_missing", "deck import deck.csv --name x"),
        (2, "missing_argument", "deck import deck.csv --currency EUR"),
        (3, "unknown_deck", "deck import deck.csv --name x --currency EUR --amend"),
        (3, "unknown_deck", "deck show x"),
        (5, "no_rate", "rate 442071234567 60"),
        (3, "unknown_deck", "rate 442071234567 60 --deck x"),
        (2, "invalid_argument", "rate tel:44 60"),
        (2, "invalid_argument", "rate 44 -1"),
    ],
)
def test_what_cannot_be_is_refused_by_a_stable_code(program: Program, exit_code: int, code: str, line: str) -> None:
    program.write("deck.csv", "prefix,rate\n44,0.02\n")
    assert program.refused(exit_code, *line.split())["code"] == code


def test_a_deck_goes_out_as_it_came_in(program: Program) -> None:
    source = SAMPLES / "twilio_outbound_voice_pricing.csv"
    options = ("--currency", "USD", "--skip-bad")
    program.run("deck", "import", str(source), "--name", "a", *options)
    exported = program.run("deck", "show", "a", "--format", "ndjson", json=False).out
    assert exported == program.run("deck", "show", "a").out
    program("deck", "import", program.write("again.ndjson", exported), "--name", "b", "--currency", "USD")
    [a, b] = program("deck", "list")
    assert (a["sha256"], a["rates"]) == (b["sha256"], b["rates"])
    assert a["rates"] > 16_900
    assert program.refused(5, "deck", "show", "a", "--format", "csv")["code"] == "deck_not_tabular"


def test_a_table_goes_out_as_a_table(program: Program) -> None:
    source = ROOT / "examples" / "rates.csv"
    program("deck", "import", str(source), "--name", "a", "--currency", "EUR")
    table = program.run("deck", "show", "a", json=False).out
    assert table.startswith(b"prefix,origin,direction,name,rate,")
    program("deck", "import", program.write("again.csv", table), "--name", "b", "--currency", "EUR")
    [a, b] = program("deck", "list")
    assert a["sha256"] == b["sha256"]


def test_a_rate_comes_with_its_proof(program: Program) -> None:
    program("deck", "import", str(ROOT / "examples" / "rates.csv"), "--name", "default", "--currency", "EUR")
    rated = program("rate", "+4915112345678", "31", "--from-number", "+38612345678")
    assert (rated["charge"], rated["currency"]) == ("0.0324", "EUR")
    assert (rated["proof"]["prefix"], rated["proof"]["origin_prefix"]) == ("4915", "386")
    assert rated["proof"]["slots"] == [
        {"from_second": 0, "rate_per_minute": "0.054", "increment_seconds": 30, "billed_seconds": 30},
        {"from_second": 30, "rate_per_minute": "0.054", "increment_seconds": 6, "billed_seconds": 6},
    ]
    assert program("rate", "+4915112345678", "31")["charge"] == "0.0900"
    assert program("rate", "38680555000", "61", "--direction", "in")["charge"] == "0.0780"
    assert program("rate", "+4915112345678", "0")["charge"] == "0.0000"


def test_a_version_rates_the_calls_that_start_in_its_time(program: Program) -> None:
    deck = ("--name", "x", "--currency", "EUR")
    program("deck", "import", program.write("1.csv", "prefix,rate\n44,0.02\n"), *deck)
    program("deck", "import", program.write("2.csv", "prefix,rate\n44,0.05\n"), *deck, "--from", "2030-01-01")
    assert program("rate", "442071234567", "60", "--at", "2029-12-31T23:59:59Z")["charge"] == "0.0200"
    later = program("rate", "442071234567", "60", "--at", "2030-01-01")
    assert (later["charge"], later["proof"]["deck_version"]) == ("0.0500", 2)
