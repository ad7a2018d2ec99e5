"""A kept record with fields changed: by the source's names or ours, and decoded like any other."""

from __future__ import annotations

import base64
import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.patch import decode_patched
from domain.errors import Invalid, Refused
from domain.usage import Refusal, Usage

MESSAGE = (
    b'{"usage_id":"u-1","account_id":"contoso","call_type":"user_out","callee":"+44207","charge":0.100000000001,'
    b'"started_at":"2026-11-22T10:00:00Z","duration_seconds":60,"operator":{"name":"x"}}'
)
EVENT = b'{"specversion":"1.0","type":"commcredits.usage.v1","source":"pbx","id":"7","subject":"contoso",%s}'
DATA = MESSAGE.replace(b'"usage_id":"u-1","account_id":"contoso",', b"")
GRAPH = b'{"id":"g-1","callType":"user_out","calleeNumber":"bad","startDateTime":"2026-11-22T10:00:00Z","duration":60}'


def taken(raw: bytes, format: str = "usage", account: str = "", **patch: str) -> Usage:  # noqa: A002
    usage = decode_patched(raw, format, account, patch)
    assert isinstance(usage, Usage), usage
    return usage


def test_a_record_without_a_change_is_decoded_as_it_came() -> None:
    usage = taken(MESSAGE)
    assert (usage.callee, usage.charge) == ("+44207", Decimal("0.100000000001"))


def test_what_is_not_changed_stays_to_the_last_digit() -> None:
    usage = taken(MESSAGE, callee="+38612")
    assert (usage.callee, usage.charge, usage.extra) == (
        "+38612",
        Decimal("0.100000000001"),
        b'{"operator":{"name":"x"}}',
    )


def test_an_empty_value_takes_a_field_away() -> None:
    assert taken(MESSAGE, charge="").charge is None
    refusal = decode_patched(MESSAGE, "usage", "", {"started_at": ""})
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.field) == ("missing_field", "started_at")


def test_a_row_is_changed_by_the_sources_name_and_by_ours() -> None:
    assert taken(GRAPH, "graph", "contoso", callee="+4420").callee == "+4420"
    assert taken(GRAPH, "graph", "contoso", calleeNumber="+4420").callee == "+4420"
    assert taken(GRAPH, "graph", "contoso", userId="object-1").user_id == "object-1"


def test_a_changed_account_stands_for_the_letters() -> None:
    assert taken(MESSAGE, "usage", "contoso", account_id="fabrikam").account_id == "fabrikam"
    assert taken(GRAPH, "graph", "contoso", account_id="fabrikam").account_id == "fabrikam"
    assert taken(EVENT % (b'"data":' + DATA), "cloudevents", "contoso", account_id="fabrikam").account_id == "fabrikam"
    mismatch = decode_patched(MESSAGE, "usage", "fabrikam", {"callee": "+4420"})
    assert isinstance(mismatch, Refusal)
    assert mismatch.reason == "account_mismatch"


@pytest.mark.parametrize(
    "data",
    [b'"data":' + DATA, b'"data_base64":"%s"' % base64.b64encode(DATA)],
    ids=["data", "data_base64"],
)
def test_an_events_attributes_and_its_data_are_changed_where_they_stand(data: bytes) -> None:
    raw = (EVENT % data).replace(b"usage.v1", b"usage.v9")
    usage = taken(raw, "cloudevents", "", type="commcredits.usage.v1", callee="+4420", id="8")
    assert (usage.usage_id, usage.callee, usage.account_id) == ("pbx#8", "+4420", "contoso")


def test_a_key_that_stands_twice_is_mended_only_by_changing_it() -> None:
    twice = b'{"callee":"+1","callee":"+2",' + MESSAGE.replace(b'"callee":"+44207",', b"")[1:]
    refusal = decode_patched(twice, "usage", "", {"charge": "1"})
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "duplicate_key"
    assert taken(twice, callee="+3").callee == "+3"
    in_data = EVENT % (b'"data":{"callee":"+1","callee":"+2",' + DATA.replace(b'"callee":"+44207",', b"")[1:])
    refusal = decode_patched(in_data, "cloudevents", "", {"charge": "1"})
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "duplicate_key"
    assert taken(in_data, "cloudevents", callee="+3").callee == "+3"


def test_a_field_that_the_format_does_not_have_names_the_nearest() -> None:
    with pytest.raises(Invalid, match="'calee'; did you mean callee"):
        decode_patched(MESSAGE, "usage", "", {"calee": "1"})
    with pytest.raises(Invalid, match="'Destination Nummer'; did you mean Destination Number"):
        decode_patched(b'{"UsageId":"1"}', "pstn-csv", "contoso", {"Destination Nummer": "1"})


NO_DATA = [EVENT % data for data in (b'"data":[]', b'"data_base64":"?"', b'"data_base64":7', b'"data":"text"')]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b"[" * 100_000, b'{"a":' * 100_000, *NO_DATA],
    ids=lambda raw: repr(raw[:12]),
)
def test_what_has_no_fields_cannot_be_changed(raw: bytes) -> None:
    with pytest.raises(Refused) as error:
        decode_patched(raw, "usage", "", {"callee": "1"})
    assert error.value.code == "not_patchable"


@given(st.binary(), st.sampled_from(["usage", "cloudevents", "graph", "pstn-csv"]), st.text(max_size=20))
def test_arbitrary_bytes_and_values_raise_nothing_but_that(raw: bytes, format: str, value: str) -> None:  # noqa: A002
    with contextlib.suppress(Refused):
        decode_patched(raw, format, "contoso", {"callee": value})


@given(st.text(max_size=30))
def test_an_arbitrary_value_is_taken_or_refused(value: str) -> None:
    for field in ("callee", "charge", "started_at", "duration_seconds", "account_id", "usage_id", "currency"):
        assert isinstance(decode_patched(MESSAGE, "usage", "contoso", {field: value}), Usage | Refusal)
