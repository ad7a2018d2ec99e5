"""What commands print, for machines and for people."""

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commcredits.cli.errors import Failure
from commcredits.cli.output import Output, layout, table, to_json


class Terminal(io.StringIO):
    """A stderr that somebody looks at."""

    def isatty(self) -> bool:
        return True


def printed(json_wanted: bool, value: Any) -> str:
    """What one result looks like on stdout."""
    stdout = io.BytesIO()
    Output(json_wanted, stdout, io.StringIO()).document(value)
    return stdout.getvalue().decode()


def test_money_is_a_string_with_all_its_decimals_and_no_exponent() -> None:
    assert to_json({"a": Decimal("12.3400"), "b": Decimal("1E+3"), "c": Decimal("0E-8")}) == (
        b'{"a":"12.3400","b":"1000","c":"0.00000000"}'
    )


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8))
def test_money_survives_being_written(amount: Decimal) -> None:
    assert Decimal(json.loads(to_json([amount]))[0]) == amount


def test_a_document_is_one_line_of_json() -> None:
    assert printed(True, {"account": "contoso", "lots": [], "note": None}) == (
        '{"account":"contoso","lots":[],"note":null}\n'
    )


def test_what_has_no_json_form_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"not JSON serializable"):
        to_json({"a": object()})


def test_text_that_is_no_utf_8_is_escaped() -> None:
    assert to_json({"a": ["\udcff.csv", {"b": 1}]}) == b'{"a":["\\\\udcff.csv",{"b":1}]}'


def test_people_see_names_and_values_and_tables() -> None:
    value = {
        "account": "contoso",
        "balance": Decimal("12.3400"),
        "closed": False,
        "name": None,
        "lots": [
            {"id": "lot-1", "remaining": Decimal("2.00")},
            {"id": "lot-10", "remaining": Decimal("10.34")},
        ],
        "recharge": {"state": "off", "amount": None},
        "pools": [],
        "flags": ["below_zero", "unlicensed"],
    }
    assert printed(False, value) == (
        "account   contoso\n"
        "balance   12.3400\n"
        "closed    no\n"
        "name      -\n"
        "lots\n"
        "  id      remaining\n"
        "  lot-1        2.00\n"
        "  lot-10      10.34\n"
        "recharge\n"
        "  state   off\n"
        "  amount  -\n"
        "pools     -\n"
        "flags     below_zero, unlicensed\n"
    )


def test_what_a_file_wrote_does_not_reach_a_terminal_as_a_command() -> None:
    stderr = io.StringIO()
    Output(False, io.BytesIO(), stderr).note("no column \x1b[2J")
    assert stderr.getvalue() == "no column \ufffd[2J\n"
    assert printed(False, [{"usage_id": "a\x9b2J"}]) == "usage_id\na\ufffd2J\n"
    assert json.loads(printed(True, ["\x1b"])) == ["\x1b"]


def test_a_list_of_nothing_says_so() -> None:
    assert layout([]) == "(none)"


def test_json_lines_are_streamed_and_a_table_has_one_heading() -> None:
    rows = [{"position": number, "type": "UsageDebited"} for number in range(5000)]
    stdout = io.BytesIO()
    Output(json=True, stdout=stdout, stderr=io.StringIO()).lines(iter(rows))
    assert [json.loads(line) for line in stdout.getvalue().splitlines()] == rows
    stdout = io.BytesIO()
    Output(json=False, stdout=stdout, stderr=io.StringIO()).lines(iter(rows))
    lines = stdout.getvalue().decode().splitlines()
    assert lines[0].split() == ["position", "type"]
    assert len(lines) == 5001


def test_no_rows_print_nothing() -> None:
    for json_wanted in (True, False):
        stdout = io.BytesIO()
        Output(json_wanted, stdout, io.StringIO()).lines([])
        assert stdout.getvalue() == b""


def test_a_row_may_lack_a_column() -> None:
    assert table([{"a": 1, "b": "x"}, {"a": 22}]) == " a  b\n 1  x\n22  -"


def test_only_numbers_stand_at_the_right() -> None:
    rows = [{"check": "charge", "passed": True, "detail": None}, {"check": "", "passed": False, "detail": None}]
    assert table(rows) == "check   passed  detail\ncharge  yes     -\n-       no      -"


def test_what_a_command_came_to_before_it_failed_is_told_beside_the_error() -> None:
    failure = Failure(5, "missing_columns", "no header", None, None)
    for_machines, for_people = io.BytesIO(), io.BytesIO()
    Output(True, for_machines, io.StringIO()).partial({"read": 1}, failure)
    Output(False, for_people, io.StringIO()).partial({"read": 1}, failure)
    assert json.loads(for_machines.getvalue()) == {"read": 1, **failure.shape()}
    assert for_people.getvalue() == b"read  1\n"


def test_progress_shows_on_a_terminal_only_and_is_wiped_before_a_line() -> None:
    quiet, terminal = io.StringIO(), Terminal()
    for stderr in (quiet, terminal):
        output = Output(json=True, stdout=io.BytesIO(), stderr=stderr)
        output.progress("1,000 usages")
        output.progress("2")
        output.note("done")
    assert quiet.getvalue() == "done\n"
    assert terminal.getvalue() == "\r1,000 usages\r2           \r \rdone\n"
