"""CloudEvents 1.0 that carry usage: structured, and binary with Kafka's headers."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest

from consumers.decode import decode_message, decode_record, record_of
from domain.usage import Refusal
from tests.usage_records import ABSENT, EVENT, MESSAGE, SAMPLES, event, message, refused, taken

HEADERS = (
    ("ce_specversion", b"1.0"),
    ("ce_type", b"commcredits.usage.v1"),
    ("ce_source", b"/sbc/7"),
    ("ce_id", b"A1"),
    ("ce_subject", b"contoso"),
    ("ce_time", b"2026-11-22T10:02:05Z"),
    ("content-type", b"application/json; charset=utf-8"),
    ("traceparent", b"\xff"),
)
DATA = json.dumps(EVENT["data"]).encode()


def without(name: str) -> Sequence[tuple[str, bytes]]:
    return [(key, value) for key, value in HEADERS if key != name]


def test_an_event_is_the_usage_in_it() -> None:
    usage = taken(event())
    plain = taken(message())

    assert (usage.usage_id, usage.account_id, usage.format) == ("/sbc/7#A1", "contoso", "cloudevents")
    assert (usage.callee, usage.started_at, usage.currency) == (plain.callee, plain.started_at, plain.currency)


def test_the_other_attributes_and_fields_are_kept() -> None:
    usage = taken(event(tenant="t-9", data={**EVENT["data"], "trunk": 3}))
    assert json.loads(usage.extra) == {
        "ce_source": "/sbc/7",
        "ce_id": "A1",
        "ce_time": EVENT["time"],
        "ce_tenant": "t-9",
        "trunk": 3,
    }


def test_binary_mode_is_the_same_usage() -> None:
    assert taken(DATA, headers=HEADERS) == taken(event())


def test_the_usage_id_of_the_data_wins() -> None:
    assert taken(event(data=MESSAGE)).usage_id == MESSAGE["usage_id"]


def test_data_may_come_in_base64() -> None:
    assert taken(event(data=ABSENT, data_base64=base64.b64encode(DATA).decode())) == taken(event())


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"type": "api-calls"}, "invalid_field", "type"),
        ({"type": None}, "missing_field", "type"),
        ({"type": 1}, "invalid_field", "type"),
        ({"specversion": "0.3"}, "invalid_field", "specversion"),
        ({"specversion": 1.0}, "invalid_field", "specversion"),
        ({"source": ABSENT}, "missing_field", "source"),
        ({"id": ""}, "missing_field", "id"),
        ({"subject": ABSENT}, "missing_field", "subject"),
        ({"subject": "a b"}, "invalid_field", "subject"),
        ({"datacontenttype": "application/avro"}, "invalid_field", "datacontenttype"),
        ({"data": ABSENT}, "missing_field", "data"),
        ({"data": ABSENT, "data_base64": "%%%"}, "invalid_field", "data_base64"),
        ({"data": "text"}, "undecodable", ""),
        ({"data": {**EVENT["data"], "callee": 1}}, "invalid_field", "callee"),
        ({"data": {**EVENT["data"], "account_id": "fabrikam"}}, "account_mismatch", "account_id"),
        ({"id": "x" * 200}, "invalid_field", "usage_id"),
        ({"id": "a\0b"}, "invalid_field", "usage_id"),
    ],
)
def test_an_event_that_is_not_as_promised_is_refused(changes: dict[str, Any], reason: str, field: str) -> None:
    assert refused(event(**changes)) == (reason, field)


def test_a_repeated_key_is_found_in_the_event_and_in_its_data() -> None:
    assert refused(b'{"id":"A2",' + event()[1:]) == ("duplicate_key", "id")
    assert refused(event().replace(b'"data": {', b'"data": {"callee":"+1",')) == ("duplicate_key", "callee")


def test_an_event_for_another_account_is_a_mismatch() -> None:
    assert refused(event(), default_account="fabrikam") == ("account_mismatch", "subject")
    assert taken(event(subject=ABSENT), default_account="contoso").account_id == "contoso"


def test_a_refused_event_says_whose_it_is() -> None:
    item = decode_message(event(data={**EVENT["data"], "call_type": "x"}))
    assert isinstance(item, Refusal)
    assert (item.format, item.account_id, item.usage_id) == ("cloudevents", "contoso", "/sbc/7#A1")


@pytest.mark.parametrize("name", ["ce_source", "ce_id", "ce_type"])
def test_a_binary_event_lacking_an_attribute_is_refused(name: str) -> None:
    assert refused(DATA, headers=without(name)) == ("missing_field", name.removeprefix("ce_"))


def test_a_binary_event_with_a_bad_header_is_refused() -> None:
    assert refused(DATA, headers=[*without("ce_id"), ("ce_id", b"\xff")]) == ("invalid_field", "ce_id")
    assert refused(DATA, headers=[*HEADERS, ("ce_id", b"A2")]) == ("duplicate_key", "ce_id")
    assert refused(DATA, headers=[*without("content-type"), ("content-type", b"text/xml")])[1] == "datacontenttype"


@pytest.mark.parametrize("data", [DATA, b"not json", b"\xff\x00", b""])
def test_a_binary_event_is_kept_as_one_object_that_decodes_as_it_did(data: bytes) -> None:
    kept = record_of(data, HEADERS)
    again, first = decode_record(kept, "cloudevents"), decode_message(data, HEADERS)

    if isinstance(first, Refusal):
        assert isinstance(again, Refusal)
        assert (again.reason, again.raw, first.raw) == (first.reason, kept, kept)
    else:
        assert again == first


def test_other_headers_make_no_event() -> None:
    assert taken(message(), headers=[("traceparent", b"00-1")]) == taken(message())
    assert record_of(message(), [("traceparent", b"00-1")]) == message()


def test_the_published_event_is_refused_for_its_type() -> None:
    assert refused((SAMPLES / "cloudevents_duration.json").read_bytes()) == ("invalid_field", "type")
