"""The stored form: arrays in a fixed order, nothing unknown is cut short."""

from decimal import Decimal
from types import NoneType
from typing import Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.account import CreditAccount, load_account
from domain.errors import DomainError
from domain.events import EVENTS, Event, UnknownEvent, UsageDebited, account_stream, decode_state, encode_state
from tests.support.given import debit, fund, opened, usage

PLAIN: dict[object, st.SearchStrategy[object]] = {
    int: st.integers(-(2**62), 2**62),
    str: st.text(max_size=20),
    bytes: st.binary(max_size=40),
    bool: st.booleans(),
    Decimal: st.integers(-(10**20), 10**20).map(lambda units: Decimal(units).scaleb(-4)),
    NoneType: st.none(),
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type."""
    if kind in PLAIN:
        return PLAIN[kind]
    if get_origin(kind) is tuple:
        first, *rest = get_args(kind)
        if rest == [...]:
            return st.lists(values_of(first), max_size=3).map(tuple)
        return st.tuples(values_of(first), *map(values_of, rest))
    if get_args(kind):
        return st.one_of(*map(values_of, get_args(kind)))
    return st.builds(kind, **{field.name: values_of(field.type) for field in msgspec.structs.fields(kind)})


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS)
def test_every_event_begins_with_the_header_and_survives_its_stored_form(kind: type[Event]) -> None:
    assert kind.__struct_fields__[:7] == Event.__struct_fields__

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(values_of(kind))
    def round_trip(event: Event) -> None:
        event = msgspec.structs.replace(event, schema=kind.VERSION)
        assert decode_state(kind.__name__, encode_state(event)) == event

    round_trip()


def test_a_topic_that_is_not_known_is_an_error_that_names_it() -> None:
    with pytest.raises(UnknownEvent, match="CallDebited"):
        decode_state("CallDebited", b"[]")


def test_a_schema_that_is_not_known_is_an_error() -> None:
    state = encode_state(fund(opened(), "5")[0]).replace(b"[2,", b"[3,", 1)
    with pytest.raises(UnknownEvent, match="schema 3"):
        decode_state("FundsAdded", state)


def test_elements_beyond_the_known_fields_are_an_error_and_never_cut_short() -> None:
    state = encode_state(fund(opened(), "5")[0])
    with pytest.raises(UnknownEvent, match="more fields"):
        decode_state("FundsAdded", state[:-1] + b',"later"]')
    nested = encode_state(debit(opened(), usage()))
    assert nested.count(b'"half-up",4,null,null]') == 1
    with pytest.raises(UnknownEvent, match="more fields"):
        decode_state("UsageDebited", nested.replace(b'"half-up",4,null,null]', b'"half-up",4,null,null,"later"]'))


def test_an_event_of_an_older_schema_has_the_defaults_of_what_came_since_and_nothing_more() -> None:
    older = encode_state(debit(opened(), usage())).replace(b"[2,", b"[1,", 1).replace(b",4,null,null]", b",4,null]", 1)
    event = decode_state("UsageDebited", older)
    assert isinstance(event, UsageDebited)
    assert event.schema == 1
    assert event.proof is not None
    assert event.proof.postpaid is None
    with pytest.raises(UnknownEvent, match="more fields"):
        decode_state("UsageDebited", older[:-1] + b',"later"]')


def test_a_state_that_does_not_decode_is_an_error() -> None:
    with pytest.raises(UnknownEvent):
        decode_state("FundsAdded", b"[1,2")
    with pytest.raises(UnknownEvent):
        load_account(b"[99]")


def test_events_of_one_account_must_follow_each_other() -> None:
    account = opened()
    event = fund(account, "5")[0]
    with pytest.raises(ValueError, match="does not follow"):
        account.apply(event, 7)
    with pytest.raises(UnknownEvent):
        CreditAccount().apply(Event(1, 0, 0, "", "", "", ""), 1)


def test_account_ids_are_case_sensitive_and_their_streams_never_change() -> None:
    assert str(account_stream("contoso")) == "9da1492e-eb1d-5110-b9a4-267b6fa43364"
    assert account_stream("Contoso") != account_stream("contoso")


def test_refusals_carry_code_message_and_field() -> None:
    error = DomainError("some_code", "Says why", "amount")
    assert (error.code, str(error), error.field) == ("some_code", "Says why", "amount")
