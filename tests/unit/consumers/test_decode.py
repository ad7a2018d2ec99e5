"""Usage messages: what is taken and how, and what is refused with which reason and field."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from consumers.decode import decode_message, decode_record
from domain.usage import CALL_TYPES, Refusal, Usage
from tests.usage_records import ABSENT, GRAPH_ROW, MESSAGE, STARTED_AT, message, raw_message, refused, taken

REQUIRED = ("usage_id", "account_id", "call_type", "started_at", "duration_seconds")


def test_a_message_becomes_a_usage() -> None:
    assert taken(message(charge="0.1300", connection_fee=0.05)) == Usage(
        "6c3f0a52",
        "contoso",
        "user_out",
        STARTED_AT,
        125,
        caller="+38612345678",
        callee="+442071234567",
        user_id="ana@contoso.com",
        number_type="subscriber",
        capability="MCOPSTN1",
        call_id="0a1b2c",
        charge=Decimal("0.1300"),
        connection_fee=Decimal("0.05"),
        currency="EUR",
    )


@pytest.mark.parametrize("call_type", sorted(CALL_TYPES))
def test_every_call_type_is_taken(call_type: str) -> None:
    assert taken(message(call_type=call_type)).call_type == call_type


@pytest.mark.parametrize("field", REQUIRED)
@pytest.mark.parametrize("value", [ABSENT, None, ""])
def test_a_required_field_that_is_missing_is_named(field: str, value: object) -> None:
    if field == "duration_seconds" and value == "":
        assert refused(message(duration_seconds="")) == ("invalid_field", field)
    else:
        assert refused(message(**{field: value})) == ("missing_field", field)


def test_what_is_not_required_may_be_null_empty_or_absent() -> None:
    optional = [
        name
        for name in MESSAGE
        if name not in ("usage_id", "account_id", "call_type", "started_at", "duration_seconds")
    ]
    bare = taken(message(**dict.fromkeys(optional, ABSENT)))

    assert taken(message(**dict.fromkeys(optional))) == bare
    assert taken(message(**{name: "" for name in optional if name not in ("charge", "connection_fee")})) == bare


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("usage_id", "x" * 201),
        ("usage_id", 7),
        ("account_id", "a b"),
        ("account_id", "x" * 129),
        ("account_id", True),
        ("call_type", 3),
        ("callee", 442071234567),
        ("caller", ["+1"]),
        ("user_name", {"given": "Ana"}),
        ("started_at", 1_795_341_600),
        ("started_at", "2026-11-22T10:00:00"),
        ("started_at", "1999-12-31T23:59:59Z"),
        ("duration_seconds", -1),
        ("duration_seconds", 2_678_401),
        ("duration_seconds", 125.5),
        ("duration_seconds", "125.0"),
        ("duration_seconds", True),
        ("duration_seconds", [125]),
        ("charge", "NaN"),
        ("charge", "1_000"),
        ("charge", " 1"),
        ("charge", "١"),
        ("charge", "1e2"),
        ("charge", "1e999999999"),
        ("charge", -1),
        ("charge", -0.5),
        ("charge", 1e15),
        ("charge", 10**400),
        ("connection_fee", "0.0000000000001"),
        ("connection_fee", False),
        ("currency", "EURO"),
        ("currency", 978),
    ],
)
def test_a_wrong_value_or_type_names_its_field(field: str, value: Any) -> None:
    assert refused(message(**{field: value})) == ("invalid_field", field)


@pytest.mark.parametrize(
    ("written", "seconds"), [("0", 0), ("125.0", 125), ("1.25e2", 125), ('"125"', 125), ("2678400", 2_678_400)]
)
def test_a_duration_is_a_whole_number_or_its_digits(written: str, seconds: int) -> None:
    assert taken(raw_message("duration_seconds", written)).duration_seconds == seconds


@pytest.mark.parametrize(
    ("written", "price"),
    [
        ("0.1", "0.1"),
        ("123456789012.123456789012", "123456789012.123456789012"),
        ("1.3e-1", "0.13"),
        ("13E1", "130"),
        ("7", "7"),
        ("0", "0"),
        ('"0.10"', "0.10"),
    ],
)
def test_a_price_is_exactly_its_digits(written: str, price: str) -> None:
    assert str(taken(raw_message("charge", written)).charge) == price


def test_the_seventh_digit_of_a_second_is_cut() -> None:
    usage = taken(message(started_at="2026-11-22T23:59:59.9999999Z"))
    assert usage.started_at == STARTED_AT + 14 * 3600 * 1_000_000 - 1


@pytest.mark.parametrize(
    "written", ['"a\\u0000b"', '"a\\tb"', '"a\\nb"', '"a\\u007fb"', '"a\x7fb"', '"a\x80b"', '"a\\u0085b"']
)
@pytest.mark.parametrize("field", ["usage_id", "user_name", "callee", "conference_id"])
def test_a_control_character_in_a_text_field_is_refused(field: str, written: str) -> None:
    assert refused(raw_message(field, written)) == ("invalid_field", field)


def test_text_beyond_ascii_is_text() -> None:
    assert taken(message(user_name="Božič 📞")).user_name == "Božič 📞"
    assert taken(raw_message("user_name", '"Bo\\u017ei\\u010d \\ud83d\\udcde"')).user_name == "Božič 📞"
    assert taken(raw_message("user_name", '"say \\"hi\\""')).user_name == 'say "hi"'


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'{"usage_id":"a","usage_id":"b"', "usage_id"),
        (b'{"charge":1,"charge":1', "charge"),
        (b'{"callee" : null , "callee" : null', "callee"),
        (b'{"tenant":"x","tenant":"y"', "tenant"),
        (b'{"c\\u0061llee":"+1"', "callee"),
        (b'{"\\u0022":1,"\\"":2', '"'),
    ],
)
def test_a_key_that_stands_twice_is_refused(raw: bytes, field: str) -> None:
    assert refused(raw + b"," + message()[1:]) == ("duplicate_key", field)


def test_a_repeated_key_is_found_whatever_stands_around_it() -> None:
    body = message()[1:]
    assert refused(b'{"usage_id" :"a",' + body)[0] == "duplicate_key"
    assert refused(b'{"currency":null,"note":"\\"",' + body)[0] == "duplicate_key"


def test_a_key_with_quotes_in_it_is_no_repeated_key() -> None:
    assert json.loads(taken(b'{"\\u0022":1,' + message()[1:]).extra) == {'"': 1}


def test_unknown_fields_are_kept_as_they_came() -> None:
    usage = taken(b'{"price_list":{"a":1.0,"a":1.10},"n":1E400,' + message()[1:])
    assert usage.extra == b'{"price_list":{"a":1.0,"a":1.10},"n":1E400}'


def test_a_nested_object_does_not_hide_a_repeated_key() -> None:
    assert refused(b'{"x":{"callee":"+1"},"callee":"+1",' + message()[1:]) == ("duplicate_key", "callee")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"usage"',
        b"{",
        b"{}x",
        b"\x00\x01\x02",
        b"{'usage_id':1}",
        b'{"a":NaN,' + message()[1:],
        b'{"a":Infinity,' + message()[1:],
        b'{"a":01,' + message()[1:],
        b'{"a":"\\x",' + message()[1:],
        message().replace(b"}", b",}"),
        message(user_name="x").replace(b'"x"', b'"\xff"'),
        b'{"note":"\xff",' + message()[1:],
        raw_message("user_name", '"\\ud800"'),
        raw_message("user_name", '"\\udc00\\ud800"'),
        message().decode().encode("utf-16"),
        message().decode().encode("utf-16-le"),
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"," + message()[1:],
        b'{"a":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"," + message()[1:],
    ],
)
def test_what_is_no_json_object_in_utf_8_is_undecodable(raw: bytes) -> None:
    item = decode_message(raw)
    assert isinstance(item, Refusal)
    assert (item.reason, item.field, item.raw) == ("undecodable", "", raw)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert taken(b"\xef\xbb\xbf" + message()) == taken(message())


def test_white_space_around_a_message_does_no_harm() -> None:
    assert taken(b" \r\n" + message() + b"\r\n") == taken(message())


def test_a_tombstone_is_undecodable() -> None:
    assert refused(None) == ("undecodable", "")


def test_an_unknown_call_type_is_refused_and_the_known_ones_are_named() -> None:
    item = decode_message(message(call_type="User_Out"))
    assert isinstance(item, Refusal)
    assert (item.reason, item.field) == ("unknown_call_type", "call_type")
    assert "ucap_out_conf" in item.message


def test_over_1_mib_the_first_bytes_and_the_hash_are_kept() -> None:
    raw = message(user_name="x" * (1 << 20))
    item = decode_message(raw, default_account="contoso")

    assert isinstance(item, Refusal)
    assert (item.reason, item.account_id, item.raw) == ("too_large", "contoso", raw[:4096])
    assert f"{len(raw):,} bytes" in item.message
    assert "sha256 " in item.message
    assert taken(message(user_name="x" * ((1 << 20) - len(message()) - 20)))


def test_the_named_account_is_for_records_that_name_none() -> None:
    assert taken(message(account_id=ABSENT), default_account="fabrikam").account_id == "fabrikam"
    assert taken(message(), default_account="contoso").account_id == "contoso"


def test_a_record_of_another_account_is_a_mismatch_kept_under_the_named_one() -> None:
    item = decode_message(message(), default_account="fabrikam")
    assert isinstance(item, Refusal)
    assert (item.reason, item.field, item.account_id) == ("account_mismatch", "account_id", "fabrikam")


def test_a_refusal_says_whose_it_is_and_keeps_the_record() -> None:
    raw = message(call_type="user_on")
    item = decode_message(raw)
    assert isinstance(item, Refusal)
    assert (item.raw, item.account_id, item.usage_id, item.format) == (raw, "contoso", "6c3f0a52", "usage")


@pytest.mark.parametrize("usage_id", ["a\0b", "x" * 201, 5, None])
def test_a_refusal_names_no_usage_id_that_cannot_be_one(usage_id: Any) -> None:
    item = decode_message(message(usage_id=usage_id))
    assert isinstance(item, Refusal)
    assert item.usage_id == ""


def test_what_a_refusal_says_fits_into_a_line_of_any_database() -> None:
    for raw in (
        b'{"a\\u0000":1,"a\\u0000":2}',
        message(callee="x\0y"),
        message(charge="\0" * 999),
        message(call_type="\0\n"),
    ):
        item = decode_message(raw)
        assert isinstance(item, Refusal)
        assert (item.field + item.message).isprintable()
        assert len(item.message) < 300


@pytest.mark.parametrize(
    "field", ["call_type", "started_at", "duration_seconds", "charge", "currency", "account_id", "callee", "user_name"]
)
def test_what_a_refusal_says_repeats_no_value_since_it_is_kept_in_the_clear(field: str) -> None:
    for value in ("+38612345678", "Ana\tBožič", ["+38612345678"], "1" * 300):
        item = decode_message(message(**{field: value}))
        if isinstance(item, Refusal):
            assert not any(part in item.message for part in ("386123", "Ana", "Božič", "111"))


def test_a_kept_row_decodes_again_by_its_format() -> None:
    raw = json.dumps(GRAPH_ROW).encode()
    usage = decode_record(raw, "graph", "contoso")

    assert isinstance(usage, Usage)
    assert usage.format == "graph"
    assert decode_record(message(), "usage") == taken(message())
