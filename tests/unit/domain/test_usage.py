"""What a call type, a number type and a capability mean for money (domain.md, What is charged)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.numbers import Number
from domain.usage import (
    CALL_TYPES,
    FIELD_NAMES,
    Refusal,
    Usage,
    charged_direction,
    field_name,
    is_conference,
    is_emergency,
    is_outgoing,
    normal_number_type,
    rated_number,
    user_key,
)

DOCUMENTED = (
    "user_in user_out user_out_conf user_out_transfer user_out_forwarding conf_in conf_out unassigned_in emergency_in "
    "emergency_out fmc_in fmc_out ucap_in ucap_out ucap_out_conf"
).split()


def usage(call_type: str, **fields: Any) -> Usage:
    return Usage("u1", "contoso", call_type, 0, 60, **fields)


def test_the_call_types_are_the_documented_ones() -> None:
    assert sorted(CALL_TYPES) == sorted(DOCUMENTED)


@pytest.mark.parametrize("call_type", [name for name in DOCUMENTED if "_out" in name and name != "emergency_out"])
def test_outgoing_calls_and_conference_dial_out_are_charged_by_destination(call_type: str) -> None:
    assert charged_direction(usage(call_type, number_type="Subscriber")) == "out"


@pytest.mark.parametrize("call_type", ["user_in", "conf_in", "unassigned_in", "fmc_in", "ucap_in"])
def test_inbound_is_charged_only_on_a_toll_free_number(call_type: str) -> None:
    assert charged_direction(usage(call_type, number_type="Service")) is None
    assert charged_direction(usage(call_type)) is None
    assert charged_direction(usage(call_type, number_type="Toll-Free")) == "in"


def test_dial_in_is_charged_where_conferencing_is_paid_per_minute() -> None:
    assert charged_direction(usage("conf_in", capability="MCOMEETACPEA")) == "in"
    assert charged_direction(usage("conf_in", capability="MCOMEETADD")) is None
    assert charged_direction(usage("user_in", capability="MCOMEETACPEA")) is None


@pytest.mark.parametrize("call_type", ["emergency_in", "emergency_out"])
def test_an_emergency_call_is_never_charged(call_type: str) -> None:
    assert is_emergency(call_type)
    assert charged_direction(usage(call_type, number_type="Toll-Free")) is None


@pytest.mark.parametrize("call_type", ["user_out", "conf_out", "user_in"])
def test_a_free_call_costs_nothing(call_type: str) -> None:
    assert charged_direction(usage(call_type, capability="FREECALL", number_type="Toll-Free")) is None


def test_number_types_compare_without_case_space_dash_and_underscore() -> None:
    assert {normal_number_type(text) for text in ("Toll-Free", "tollfree", "toll_free", "TOLL FREE")} == {"tollfree"}


def test_conference_usage_is_no_call() -> None:
    assert [name for name in DOCUMENTED if is_conference(name)] == ["conf_in", "conf_out"]
    assert not is_outgoing("conf_out")
    assert not is_outgoing("emergency_out")
    assert is_outgoing("user_out_conf")


def test_users_compare_without_case() -> None:
    assert user_key("Ana@Contoso.com") == user_key("ana@contoso.COM")


def test_a_usage_is_rated_by_the_number_that_was_dialled() -> None:
    assert rated_number(usage("user_out", callee="+4420***", caller="+1")) == Number("4420", True)


def test_a_missing_or_wrong_rated_number_is_named_in_the_words_of_its_source() -> None:
    missing = rated_number(usage("user_out", format="pstn-csv"))
    wrong = rated_number(usage("user_out", format="graph", callee="anonymous"))

    assert isinstance(missing, Refusal)
    assert isinstance(wrong, Refusal)
    assert (missing.reason, missing.field, missing.account_id) == ("missing_field", "Destination Number", "contoso")
    assert (wrong.reason, wrong.field, wrong.format) == ("invalid_field", "calleeNumber", "graph")
    assert "anonymous" not in wrong.message  # it is kept outside the sealed record


def test_every_format_names_fields_of_usage() -> None:
    fields = set(Usage.__struct_fields__)
    assert all(set(names) <= fields for names in FIELD_NAMES.values())
    assert field_name("graph", "callee") == "calleeNumber"
    assert field_name("usage", "callee") == "callee"
    assert field_name("cloudevents", "account_id") == "subject"
