"""Graph's pages of the call log."""

from __future__ import annotations

import json

import pytest

from consumers.files import open_usage
from consumers.refusals import FileRefused
from tests.streams import repeated
from tests.usage_files import problems, records, usages, whole_refusal
from tests.usage_records import (
    GRAPH_ROW,
    graph_page,
)


def test_a_price_on_a_page_is_its_digits() -> None:
    data = graph_page({**GRAPH_ROW, "charge": "@@"}).replace(b'"@@"', b"0.1000000000000000055"[:14])
    assert str(usages(data, account="contoso")[0].charge) == "0.100000000000"
    assert str(usages(graph_page({**GRAPH_ROW, "charge": "0.10"}), account="contoso")[0].charge) == "0.10"


def test_a_page_may_hold_many_rows_with_fields_missing_and_odd() -> None:
    bare = {name: GRAPH_ROW[name] for name in ("id", "callType", "startDateTime", "duration")}
    rows = [GRAPH_ROW, bare, {**bare, "duration": "219"}, {**bare, "userPrincipalName": None, "userId": "u-1"}]
    found = usages(graph_page(*rows), account="contoso")
    assert [item.duration_seconds for item in found] == [219] * 4
    assert [item.user_id for item in found] == ["richard.malk@contoso.com", "", "", "u-1"]

    odd = graph_page(bare, {**bare, "callType": None}, 7, {**bare, "duration": {}}, {**bare, "calleeNumber": 4})
    assert problems(odd, account="contoso") == [
        (2, "missing_field", "callType"),
        (3, "undecodable", ""),
        (4, "invalid_field", "duration"),
        (5, "invalid_field", "calleeNumber"),
    ]


def test_rows_may_stand_one_a_line() -> None:
    data = b"\n".join(json.dumps({**GRAPH_ROW, "id": str(n)}).encode() for n in range(3))
    assert [item.format for item in usages(data, account="contoso")] == ["graph"] * 3
    assert len(usages(json.dumps([GRAPH_ROW]).encode(), account="contoso")) == 1


def test_a_page_that_is_not_the_last_is_told() -> None:
    told: list[str] = []
    data = graph_page(GRAPH_ROW, **{"@odata.nextLink": "https://graph/next"})
    assert len(records(data, account="contoso", warn=told.append)) == 1
    assert [text for text in told if "@odata.nextLink" in text] == told != []


def test_a_page_with_a_key_twice_is_refused() -> None:
    error = whole_refusal(b'{"value":[],"value":[' + json.dumps(GRAPH_ROW).encode() + b"]}", account="contoso")
    assert (error.code, error.field) == ("duplicate_key", "value")


@pytest.mark.parametrize("data", [graph_page(GRAPH_ROW)[:-9], b'{\n "value": [\n  {"id"\n', b'{"value": [}'])
def test_a_page_that_is_cut_is_refused_whole(data: bytes) -> None:
    assert whole_refusal(data, account="contoso").code == "undecodable"


def test_a_page_over_64_mib_is_too_large() -> None:
    stream = repeated(b'{"value":[', b" " * (1 << 18), 257)
    with pytest.raises(FileRefused) as caught:
        list(open_usage(stream, name="-", account="contoso"))
    assert caught.value.code == "too_large"
