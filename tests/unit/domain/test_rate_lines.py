"""interface.md, *Rate decks people already have*: the NDJSON of a rate, and that it is canonical."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rate_lines import check_keys, decode_rate, decode_rates, encode_rate, encode_rates
from domain.rates import BadRate, Rate, Slot, Terms
from tests.support.decks import assembled, at, rate

EXAMPLE = {
    "prefix": "4479",
    "origin": None,
    "direction": "out",
    "blocked": None,
    "name": "UK mobile",
    "connection_fee": "0.05",
    "effective_from": "2026-01-01T00:00:00Z",
    "effective_to": None,
    "slots": [
        {"from_second": 0, "rate_per_minute": "0.12", "increment_seconds": 60},
        {"from_second": 60, "rate_per_minute": "0.09", "increment_seconds": 1},
    ],
}


def line(**changes: object) -> bytes:
    return json.dumps({**EXAMPLE, **changes}, separators=(",", ":")).encode()


def test_the_documented_line_is_read_and_written_as_it_stands() -> None:
    read = decode_rate(line())

    assert (read.prefix, read.origin, read.direction, read.name) == ("4479", None, "out", "UK mobile")
    assert read.effective_from == at("2026-01-01")
    assert read.terms.slots == (Slot(0, Decimal("0.12"), 60), Slot(60, Decimal("0.09"), 1))
    assert encode_rate(read) == line()


def test_amounts_keep_all_their_decimals_and_no_trailing_zeros() -> None:
    written = json.loads(encode_rate(decode_rate(line(connection_fee="0.0000001000"))))

    assert written["connection_fee"] == "0.0000001"


def test_only_the_prefix_and_the_slots_are_needed() -> None:
    slots = [{"from_second": 0, "rate_per_minute": 0.1, "increment_seconds": 60}]

    read = decode_rate(json.dumps({"prefix": "44", "slots": slots}).encode())

    assert json.loads(encode_rate(read)) == {
        **EXAMPLE,
        "prefix": "44",
        "name": "",
        "connection_fee": "0",
        "effective_from": None,
        "slots": [{**slots[0], "rate_per_minute": "0.1"}],
    }


def test_a_last_day_is_inclusive_a_last_time_is_the_first_instant_without() -> None:
    assert decode_rate(line(effective_to="2026-12-31")).effective_to == at("2027-01-01")
    assert decode_rate(line(effective_to="2026-12-31T12:00:00Z")).effective_to == at("2026-12-31T12:00:00Z")


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"prefix": "+44"}, "prefix"),
        ({"prefix": "4" * 16}, "prefix"),
        ({"prefix": "٤٤"}, "prefix"),
        ({"prefix": 44}, ""),
        ({"origin": "x"}, "origin"),
        ({"direction": "sideways"}, "direction"),
        ({"blocked": "maybe"}, "blocked"),
        ({"connection_fee": "-1"}, "connection_fee"),
        ({"connection_fee": "NaN"}, "connection_fee"),
        ({"connection_fee": "1e5"}, "connection_fee"),
        ({"connection_fee": "1_0"}, "connection_fee"),
        ({"connection_fee": "1" * 13}, "connection_fee"),
        ({"connection_fee": None}, "connection_fee"),
        ({"connection_fee": ["1"]}, "connection_fee"),
        ({"effective_from": "01/02/2026"}, "effective_from"),
        ({"effective_from": "0001-01-01"}, "effective from"),
        ({"effective_from": "2026-02-30"}, "effective_from"),
        ({"effective_from": "2026-01-01T00:00:00"}, "effective_from"),
        ({"effective_to": "2025-01-01"}, "effective to"),
        ({"slots": []}, "slots"),
        ({"slots": [{"from_second": 0, "rate_per_minute": "x", "increment_seconds": 60}]}, "rate_per_minute"),
        ({"slots": [{"from_second": 0, "rate_per_minute": "1", "increment_seconds": 0}]}, "increment"),
        ({"slots": [{"from_second": 0, "rate_per_minute": "1"}]}, "slots"),
        ({"rate": "0.1"}, ""),
    ],
)
def test_a_line_that_is_no_rate_is_refused_by_the_name_of_its_field(changes: dict[str, object], column: str) -> None:
    with pytest.raises(BadRate) as refused:
        decode_rate(line(**changes))

    assert refused.value.column == column


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"{", b"\xff", b'{"prefix":"\\ud800","slots":[]}', b"[" * 9999])
def test_what_is_no_object_is_refused(text: bytes) -> None:
    with pytest.raises(BadRate):
        decode_rate(text)


def test_a_key_that_stands_twice_is_refused() -> None:
    check_keys(line())
    with pytest.raises(BadRate, match="prefix: stands twice"):
        check_keys(line().replace(b'"origin":null', b'"prefix":"45"'))
    with pytest.raises(BadRate, match="from_second: stands twice"):
        check_keys(line().replace(b'{"from_second":60', b'{"from_second":0,"from_second":60'))


def test_a_name_stands_on_one_line_without_control_characters() -> None:
    assert decode_rate(line(name="  UK\n\tmobile\x00 ")).name == "UK mobile"


def test_blocked_rates_need_no_slots() -> None:
    for blocked in ("withdrawn", "ambiguous"):
        read = decode_rate(line(blocked=blocked, slots=[]))
        assert decode_rate(encode_rate(read)).terms.blocked == blocked


def test_equal_decks_are_equal_bytes_whatever_the_order_of_their_rows() -> None:
    rates = [rate("44"), rate("33", origin="1"), rate("33"), rate("5", direction="in"), rate("33", origin="12")]

    one, other = (b"".join(encode_rates(assembled(order))) for order in (rates, rates[::-1]))

    assert one == other
    assert [decode_rate(each).prefix for each in one.splitlines()] == ["5", "33", "33", "33", "44"]


def test_equal_terms_are_read_as_one_object() -> None:
    first, second = decode_rates([encode_rate(rate("44")), encode_rate(rate("33"))])

    assert first.terms is second.terms


amounts = st.decimals(min_value=0, max_value=99_999, places=12) | st.decimals(
    min_value=0, max_value=10**12 - 1, places=0
)
instants = st.none() | st.integers(0, 10**17)


@st.composite
def any_rates(draw: st.DrawFn) -> Rate:
    starts = [0, *sorted(draw(st.sets(st.integers(1, 10_000), max_size=3)))]
    slots = [Slot(start, draw(amounts), draw(st.integers(1, 3600))) for start in starts]
    start, length = draw(instants), draw(st.none() | st.integers(1, 10**15))
    return Rate(
        draw(st.text("0123456789", max_size=15)),
        draw(st.none() | st.text("0123456789", min_size=1, max_size=15)),
        draw(st.sampled_from(("out", "in"))),
        " ".join(draw(st.text(st.characters(exclude_categories=("C", "Z")))).split()),
        start,
        None if length is None else (start or 0) + length,
        Terms(draw(amounts), slots, draw(st.sampled_from((None, "withdrawn", "ambiguous")))),
    )


@given(any_rates())
def test_every_rate_comes_back_as_it_was_written(written: Rate) -> None:
    read = decode_rate(encode_rate(written))

    assert encode_rate(read) == encode_rate(written)
    assert read.terms.slots == written.terms.slots
    assert msgspec.structs.replace(read, terms=written.terms) == written
