"""The PSTN usage CSV, both its column forms, and the traps seen in real rows (SOURCES.md)."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from domain.usage import Refusal, Usage
from tests.usage_files import problems, records, usages, whole_refusal
from tests.usage_records import (
    GRAPH_ROW,
    NEWER_COLUMNS,
    ROW,
    bent,
    csv_file,
    fields_of,
    graph_page,
)


def test_both_column_forms_in_any_order_are_the_same_usage() -> None:
    older = [name for name in ROW if name not in NEWER_COLUMNS]
    renamed = {("AAD ObjectId" if name == "Microsoft Entra ObjectId" else name): ROW[name] for name in reversed(older)}
    [new] = usages(csv_file([ROW]), account="contoso")
    [old] = usages(csv_file([renamed], renamed), account="contoso")

    assert len(ROW) == 25
    assert len(renamed) == 20
    assert bent(fields_of(new), {"extra": b""}) == bent(fields_of(old), {"extra": b""})
    assert new == Usage(
        ROW["UsageId"],
        "contoso",
        "user_out",
        1_572_566_408_258_993,
        219,
        caller="+0123456789",
        callee="+442071234567",
        user_id="richard.malk@contoso.com",
        user_name="Malk, Richard",
        number_type="Subscriber",
        capability="MCOPSTN1",
        call_id=ROW["Call ID"],
        charge=Decimal("0.13"),
        connection_fee=Decimal("0.00"),
        currency="USD",
        format="pstn-csv",
        extra=new.extra,
    )
    assert json.loads(new.extra)["End Time"] == ROW["End Time"]
    assert json.loads(new.extra)["User Location"] == "US"


def test_column_names_compare_without_case_and_spaces_around() -> None:
    data = csv_file([ROW]).replace(b"UsageId,Call ID", b" usageid ,CALL ID", 1)
    assert usages(data, account="contoso") == usages(csv_file([ROW]), account="contoso")


def test_after_a_trip_through_another_database_null_is_text() -> None:
    nulls = {"Conference ID": "None", "UPN": "null", "Connection Fee": "None", "Charge": "NULL", "Currency": "None"}
    [usage] = usages(csv_file([{**ROW, **nulls}]), account="contoso")
    assert (usage.conference_id, usage.charge, usage.connection_fee, usage.currency) == ("", None, None, "")
    assert usage.user_id == ROW["Microsoft Entra ObjectId"]


def test_a_bot_has_no_user() -> None:
    bot = {"UPN": "", "Microsoft Entra ObjectId": "", "User Display Name": "", "Call Type": "ucap_out"}
    [usage] = usages(csv_file([{**ROW, **bot}]), account="contoso")
    assert (usage.user_id, usage.user_name) == ("", "")


def test_an_end_in_the_year_1_and_masked_numbers_are_kept_as_they_came() -> None:
    odd = {
        "End Time": "0001-01-01T00:00:00",
        "Destination Number": "+44207123****",
        "Start Time": "2019-11-01T00:00:08",
    }
    [usage] = usages(csv_file([{**ROW, **odd}]), account="contoso")
    assert usage.callee == "+44207123****"
    assert json.loads(usage.extra)["End Time"] == "0001-01-01T00:00:00"
    assert usage.started_at == 1_572_566_408_000_000  # the export's times are UTC


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"UsageId": ""}, "missing_field", "UsageId"),
        ({"Call Type": "None"}, "missing_field", "Call Type"),
        ({"Call Type": "ByotOut"}, "unknown_call_type", "Call Type"),
        ({"Start Time": "0001-01-01T00:00:00Z"}, "invalid_field", "Start Time"),
        ({"Start Time": ""}, "missing_field", "Start Time"),
        ({"Duration Seconds": "219.5"}, "invalid_field", "Duration Seconds"),
        ({"Charge": "0,13"}, "invalid_field", "Charge"),
        ({"Connection Fee": "-1"}, "invalid_field", "Connection Fee"),
        ({"Currency": "USDollar"}, "invalid_field", "Currency"),
        ({"User Display Name": "a\0b"}, "invalid_field", "User Display Name"),
        ({"UPN": "", "Microsoft Entra ObjectId": "a\tb"}, "invalid_field", "UPN"),
    ],
)
def test_a_bad_cell_is_named_by_its_column(changes: dict[str, str], reason: str, field: str) -> None:
    data = csv_file([ROW, {**ROW, **changes}])
    assert problems(data, account="contoso") == [(3, reason, field)]


def test_a_row_with_too_few_or_too_many_cells_is_refused_and_kept() -> None:
    lines = csv_file([ROW]).splitlines()
    data = b"\n".join([lines[0], lines[1] + b",x", b"a,b", lines[1]])
    assert problems(data, account="contoso") == [(2, "undecodable", ""), (3, "undecodable", "")]
    assert records(data, account="contoso")[1][3] == b"a,b"


def test_a_quote_that_swallows_the_file_is_refused_with_the_line_where_it_begins() -> None:
    lines = csv_file([{**ROW, "UsageId": str(n)} for n in range(2000)]).splitlines(keepends=True)
    lines[1000] = lines[1000].replace(b'"Malk, Richard"', b'"Malk Richard')
    found = records(b"".join(lines), account="contoso")

    assert [(line, item.reason) for _, line, item, _ in found if isinstance(item, Refusal)] == [(1001, "undecodable")]
    assert len(found) == 2000


def test_text_with_a_line_break_in_a_field_of_the_usage_swallows_nothing() -> None:
    broken = csv_file([{**ROW, "User Display Name": "Malk\nRichard"}, ROW])
    assert [line for line, _, _ in problems(broken, account="contoso")] == [2, 3]
    assert isinstance(records(broken, account="contoso")[-1][2], Usage)
    kept = csv_file([{**ROW, "Administrative Units": "EU\nUS"}, ROW])
    assert [line for _, line, _, _ in records(kept, account="contoso")] == [2, 4]
    assert json.loads(usages(kept, account="contoso")[0].extra)["Administrative Units"] == "EU\nUS"


def test_a_row_that_names_another_account_is_a_mismatch() -> None:
    data = csv_file([{**ROW, "account_id": "fabrikam"}, {**ROW, "account_id": ""}], [*ROW, "account_id"])
    assert problems(data, account="contoso") == [(2, "account_mismatch", "account_id")]


@pytest.mark.parametrize(
    ("dropped", "named"),
    [
        ("UsageId", "UsageId"),
        ("Destination Number", "Destination Number"),
        ("Number Type", "Number Type"),
        ("Capability", "Capability"),
    ],
)
def test_a_csv_without_a_column_that_decides_money_is_refused(dropped: str, named: str) -> None:
    columns = [name for name in ROW if name != dropped]
    error = whole_refusal(csv_file([{name: ROW[name] for name in columns}], columns), account="contoso")
    assert (error.code, error.field, error.source) == ("missing_columns", named, "f")
    assert named in error.message


def test_a_csv_needs_some_name_of_the_user() -> None:
    columns = [name for name in ROW if name not in ("UPN", "Microsoft Entra ObjectId")]
    error = whole_refusal(csv_file([{name: ROW[name] for name in columns}], columns), account="contoso")
    assert (error.code, error.field) == ("missing_columns", "UPN or Microsoft Entra ObjectId")


def test_a_column_that_stands_twice_is_refused() -> None:
    error = whole_refusal(csv_file([ROW], [*ROW, "Charge"]), account="contoso")
    assert (error.code, error.field) == ("duplicate_key", "Charge")


def test_a_csv_of_graphs_columns_is_read_as_graphs_rows() -> None:
    row = {name: "None" if value is None else str(value) for name, value in GRAPH_ROW.items()}
    [usage] = usages(csv_file([row], row), account="contoso")
    [page] = usages(graph_page(GRAPH_ROW), account="contoso")
    assert bent(fields_of(usage), {"extra": b"", "charge": 0, "connection_fee": 0}) == bent(
        fields_of(page), {"extra": b"", "charge": 0, "connection_fee": 0}
    )
