"""`ingest`: files and stdin, each format, bad input, and a file that is taken in again."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.conftest import prepare
from tests.support.calls import call, calls
from tests.support.program import ROOT, Program

EXAMPLES = ROOT / "examples"
NOTHING = {"accepted": 0, "duplicates": 0, "conflicts": 0, "dead": 0, "charged": "0.0000", "currency": "EUR"}


def test_usage_is_debited_and_a_file_may_be_taken_in_again(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    file = program.write("usage.ndjson", calls(12))
    assert program("ingest", file) == NOTHING | {"read": 12, "accepted": 12, "charged": "3.6000"}
    assert program("ingest", file) == NOTHING | {"read": 12, "duplicates": 12}
    assert program("balance", "contoso")["balance"] == "96.4000"


def test_more_than_a_batch_is_taken_in_order(contoso: Program) -> None:
    contoso.set("BATCH_SIZE", "7")
    assert contoso("ingest", contoso.write("a", calls(10)), contoso.write("b", calls(16)))["accepted"] == 16
    sources = [line["source"] for line in contoso.run("statement", "contoso").lines if line["source"]]
    assert sources[0] == {"kind": "file", "name": "a", "line": 1}
    assert sources[-1] == {"kind": "file", "name": "b", "line": 16}


def test_stdin_is_a_source_of_its_own(contoso: Program) -> None:
    assert contoso("ingest", "-", stdin=call().encode())["accepted"] == 1
    assert contoso("explain", "u-1")["debit"]["source"] == {"kind": "stdin", "name": "-", "line": 1}


def test_a_file_may_have_a_name_that_is_no_utf_8(contoso: Program) -> None:
    assert contoso("ingest", contoso.write("\udcff.csv", calls(1)))["accepted"] == 1
    assert contoso.run("statement", "contoso").lines[-1]["source"]["name"] == "\\udcff.csv"
    assert contoso.refused(3, "ingest", "\udcfe.csv")["message"] == "there is no file \\udcfe.csv"


def test_what_is_refused_is_counted_kept_once_and_exits_with_1(contoso: Program) -> None:
    lines = [
        call(),
        call(duration_seconds=126),  # another content under the same id
        call("u-2", account_id="nobody"),
        call("u-3", currency="USD"),
        call("u-4", callee="+99912345"),
        call("u-5", call_type="telepathy"),
        "{",
    ]
    file = contoso.write("usage.ndjson", "".join(lines))
    expected = NOTHING | {"read": 7, "accepted": 1, "conflicts": 1, "dead": 5, "charged": "0.3000"}
    answer = contoso.run("ingest", file)
    assert (answer.code, answer.json) == (1, expected)
    answer = contoso.run("ingest", file)
    assert (answer.code, answer.json) == (1, expected | {"accepted": 0, "duplicates": 1, "charged": "0.0000"})
    letters = contoso.run("dead-letters", "list").lines
    reasons = ["conflict", "unknown_account", "currency_mismatch", "no_rate", "unknown_call_type", "undecodable"]
    assert [letter["reason"] for letter in letters] == reasons
    assert [letter["source"]["line"] for letter in letters] == [2, 3, 4, 5, 6, 7]


def test_several_currencies_are_told_apart(contoso: Program) -> None:
    contoso("account", "open", "us", "--currency", "USD", "--pricing", "as-priced")
    lines = call() + call(account_id="us", currency="USD", charge="1.25", connection_fee=0.1)
    answer = contoso("ingest", contoso.write("usage.ndjson", lines))
    assert (answer["charged"], answer["currency"]) == (None, None)
    assert answer["charged_by_currency"] == {"EUR": "0.3000", "USD": "1.3500"}


@pytest.mark.parametrize("name", ["pstn-usage.csv", "graph-page.json"])
def test_rows_without_an_account_need_one_and_then_are_taken(program: Program, name: str) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--country", "SI")
    program("deck", "import", str(EXAMPLES / "rates.csv"), "--name", "default", "--currency", "EUR")
    file = str(EXAMPLES / name)
    error = program.refused(2, "ingest", file)
    assert error["code"] == "account_required"
    assert program.refused(3, "ingest", file, "--account", "nobody")["code"] == "unknown_account"
    answer = program("ingest", file, "--account", "contoso")
    assert answer["accepted"] == answer["read"] > 0
    assert program("ingest", file, "--account", "contoso")["duplicates"] == answer["read"]


def test_a_table_in_a_zip_is_named_with_its_archive(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--country", "SI")
    program("deck", "import", str(EXAMPLES / "rates.csv"), "--name", "default", "--currency", "EUR")
    with zipfile.ZipFile(program.directory / "export.zip", "w") as archive:
        archive.write(EXAMPLES / "pstn-usage.csv", "PSTN.csv")
        archive.writestr("parameters.json", "{}")
    assert program("ingest", "export.zip", "--account", "contoso")["accepted"] == 3
    source = program("explain", "5d1f0c1e-4a4b-4f0e-9d53-0a1d7d7c0001")["debit"]["source"]
    assert source == {"kind": "file", "name": "export.zip/PSTN.csv", "line": 2}


def test_a_file_that_is_refused_whole_does_not_stop_the_others(contoso: Program) -> None:
    bad = contoso.write("rubbish.bin", b"\x7fELF rubbish")
    answer = contoso.run("ingest", bad, contoso.write("good.ndjson", call()))
    assert answer.code == 5
    assert (answer.json["accepted"], answer.error["code"]) == (1, "undecodable")
    assert answer.error["source"]["name"] == bad


def test_a_format_that_is_named_is_insisted_on(contoso: Program) -> None:
    file = contoso.write("usage.ndjson", call())
    assert contoso.refused(5, "ingest", file, "--format", "graph", "--account", "contoso")["code"] == "undecodable"
    assert contoso("ingest", file, "--format", "ndjson")["accepted"] == 1


def test_a_conference_takes_minutes_first(contoso: Program) -> None:
    contoso("licence", "purchased", "contoso", "MCOMEETADD", "1")
    line = call(call_type="conf_out", capability="MCOMEETADD", callee="+12025550143", duration_seconds=3660)
    assert contoso("ingest", contoso.write("usage.ndjson", line))["charged"] == "0.0150"
    proof = contoso("explain", "u-1")["proof"]
    assert proof["pools"] == [{"plan": "MCOMEETADD", "kind": "dialout", "minutes": 60}]
    assert (proof["slots"][0]["from_second"], proof["connection_fee"]) == (3600, "0")
    [pool] = contoso("balance", "contoso")["pools"]
    assert (pool["used"], pool["remaining"], pool["user"]) == (60, 0, None)


def test_a_terminal_is_shown_how_far_it_is(contoso: Program) -> None:
    contoso.set("BATCH_SIZE", "100")
    file = contoso.write("usage.ndjson", calls(500))
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.run(
            [sys.executable, "-m", "commcredits", "ingest", file, "--json"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=theirs,
            timeout=60,
            check=True,
        )
        shown = terminal.read(65536).decode()
    os.close(theirs)
    assert json.loads(done.stdout)["accepted"] == 500
    assert "usage.ndjson" in shown
    assert "100%" in shown


def test_memory_does_not_grow_with_the_file(contoso: Program) -> None:
    def peak_kib(file: str) -> int:
        script = (
            "import re, sys; from commcredits.cli import main; main(sys.argv[1:]);"
            "print(re.search('VmHWM:(.*) kB', open('/proc/self/status').read())[1], file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, "ingest", file, "--json"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=120,
            check=True,
        )
        return int(done.stderr.split()[-1])

    contoso.set("BATCH_SIZE", "200")
    peaks = {}
    for account, count in (("small", 9_000), ("large", 27_000)):
        contoso("account", "open", account, "--currency", "EUR", "--pricing", "as-priced")
        lines = calls(count, account_id=account, charge="0.01", call_id="x" * 5_000)
        peaks[account] = peak_kib(contoso.write(account, lines))  # 47 and 140 MB
    # by the end of the small one SQLite's own cache is full
    assert peaks["large"] < peaks["small"] + 15_000


def test_the_examples_are_taken(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--country", "SI", "--at", "2026-01-01")
    program("deck", "import", str(EXAMPLES / "rates.csv"), "--name", "default", "--currency", "EUR")
    program("licence", "import", "contoso", str(EXAMPLES / "licences.csv"))
    answer = program.run("ingest", str(EXAMPLES / "usage.ndjson")).json
    assert (answer["read"], answer["accepted"], answer["duplicates"], answer["dead"]) == (10, 8, 1, 1)
    assert Path(EXAMPLES / "usage.ndjson").is_file()


def test_a_store_that_fails_in_the_middle_says_what_was_taken_by_then(contoso: Program) -> None:
    contoso.set("BATCH_SIZE", "100")
    file = contoso.write("usage", calls(20_000))
    script = (
        "import resource, sys; from commcredits.cli import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000)); sys.exit(main(sys.argv[1:]))"
    )  # no file may grow past 2 MB: the disk is full
    done = subprocess.run(
        [sys.executable, "-c", script, "ingest", file, "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    document = json.loads(done.stdout)
    assert (done.returncode, document["error"]["code"]) == (4, "store_unavailable"), done
    taken = document["accepted"]
    assert taken > 0
    assert taken % 100 == 0
    assert Decimal(contoso("balance", "contoso")["balance"]) == 100 - Decimal("0.3") * taken
    assert contoso("ingest", file)["duplicates"] == taken
