"""Plans: the limits a licence gets, and catalogues read from text."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid, NotFound, Refused
from domain.events import Limits
from domain.plan_file import EU_MEMBERS, PlanError, parse_plans
from domain.plans import Plan, PlanSize, limits_of, merge

CATALOGUE = """
[HOME]
name = "Home"
kind = "domestic"
sizes = [
    { countries = ["US", "PR"], domestic_minutes = 3000 },
    { countries = ["EU"], domestic_minutes = 1200 },
]

[BOTH]
kind = "domestic_or_international"
pooled = false
sizes = [{ domestic_minutes = 100, international_minutes = 20 }]

[CONF]
kind = "dialout"
sizes = [{ dialout_minutes = 60 }]

[PAYG]
kind = "none"
"""


def test_a_catalogue_gives_limits_by_country() -> None:
    plans = parse_plans(CATALOGUE)
    assert limits_of(plans, "HOME", "PR") == Limits("domestic", True, 3000, 0, 0)
    assert limits_of(plans, "HOME", "SI") == Limits("domestic", True, 1200, 0, 0)
    assert limits_of(plans, "BOTH", "JP") == Limits("domestic_or_international", False, 100, 20, 0)
    assert limits_of(plans, "CONF", "") == Limits("dialout", True, 0, 0, 60)
    assert limits_of(plans, "PAYG", "JP") == Limits("none", True, 0, 0, 0)


@pytest.mark.parametrize(("code", "hint"), [("HOM", "did you mean HOME"), ("both", "did you mean BOTH"), ("X", "'X'$")])
def test_an_unknown_plan_names_the_nearest_one_where_there_is_any(code: str, hint: str) -> None:
    with pytest.raises(NotFound, match=hint):
        limits_of(parse_plans(CATALOGUE), code, "SI")


def test_eu_stands_for_the_27_members() -> None:
    assert len(set(EU_MEMBERS)) == 27
    assert parse_plans(CATALOGUE)["HOME"].sizes[1].countries == EU_MEMBERS


def test_a_plan_that_is_not_offered_in_a_country_says_where_it_is_and_how_to_add_it() -> None:
    with pytest.raises(Refused, match=r"HOME has no size for JP, only for AT, BE.*COMMCREDITS_PLANS") as error:
        limits_of(parse_plans(CATALOGUE), "HOME", "JP")
    assert (error.value.code, error.value.field) == ("plan_not_offered", "country")


def test_a_domestic_plan_needs_a_country() -> None:
    for code in ("HOME", "BOTH"):
        with pytest.raises(Invalid, match="needs a country") as error:
            limits_of(parse_plans(CATALOGUE), code, "")
        assert error.value.code == "missing_country"


def test_an_unknown_plan_is_not_found_and_the_nearest_is_named() -> None:
    with pytest.raises(NotFound, match=r"no plan 'HOMR'; did you mean HOME\?") as error:
        limits_of(parse_plans(CATALOGUE), "HOMR", "US")
    assert (error.value.code, error.value.field) == ("unknown_plan", "plan")


def test_a_size_for_any_country_holds_only_where_no_other_does() -> None:
    text = '[A]\nkind = "domestic"\nsizes = [{domestic_minutes = 5}, {countries = ["SI"], domestic_minutes = 9}]'
    plan = parse_plans(text)["A"]
    assert plan.limits("SI") == Limits("domestic", True, 9, 0, 0)
    assert plan.limits("AT") == Limits("domestic", True, 5, 0, 0)


@pytest.mark.parametrize(
    ("text", "plan", "key", "line", "says"),
    [
        ("[A\nkind='none'", "", "", 1, "Expected"),
        ("A = 1", "A", "", 1, "is no plan"),
        ("['a b']\nkind='none'", "a b", "", 1, "named by letters"),
        ("[A]\nkind = 'domestik'", "A", "kind", 2, "is domestic,"),
        ("[A]\nkind = ['none']", "A", "kind", 2, "is domestic,"),
        ("[A]\npooled = true", "A", "kind", 1, "is domestic,"),
        ("[A]\nkind = 'none'\npoled = true", "A", "poled", 3, "did you mean pooled?"),
        ("[B]\nkind='none'\n[A]\nkind='none'\npooled='x'", "A", "pooled", 5, "true or false"),
        ("[A]\nkind='none'\nname=3", "A", "name", 3, "is text"),
        ("[A]\nkind='domestic'", "A", "sizes", 1, "needed"),
        ("[A]\nkind='none'\nsizes=[{domestic_minutes=1}]", "A", "sizes", 3, "not allowed"),
        ("[A]\nkind='domestic'\nsizes=3", "A", "sizes", 3, "list of tables"),
        ("[A]\nkind='domestic'\nsizes=[{}]", "A", "domestic_minutes", 1, "whole minutes"),
        ("[A]\nkind='domestic'\nsizes=[\n{domestic_minutes=-1}]", "A", "domestic_minutes", 4, "whole minutes"),
        ("[A]\nkind='domestic'\nsizes=[{domestic_minutes=1.5}]", "A", "domestic_minutes", 3, "whole minutes"),
        ("[A]\nkind='domestic'\nsizes=[{domestic_minutes=true}]", "A", "domestic_minutes", 3, "whole minutes"),
        ("[A]\nkind='domestic'\nsizes=[{dialout_minutes=1}]", "A", "dialout_minutes", 3, "not known inside sizes"),
        ("[A]\nkind='domestic'\nsizes=[{countries=['usa'],domestic_minutes=1}]", "A", "countries", 3, "ISO 3166"),
        ("[A]\nkind='domestic'\nsizes=[{countries='US',domestic_minutes=1}]", "A", "countries", 3, "ISO 3166"),
        (
            "[A]\nkind='domestic'\nsizes=[{countries=['EU'],domestic_minutes=1},{countries=['SI'],domestic_minutes=2}]",
            "A", "sizes", 3, "names SI twice",
        ),
        ("a=" + "[" * 5000, "", "", 0, "nested"),
    ],
)  # fmt: skip
def test_a_wrong_catalogue_is_refused_naming_plan_key_and_line(
    text: str, plan: str, key: str, line: int, says: str
) -> None:
    with pytest.raises(PlanError, match=says) as error:
        parse_plans(text)
    assert (error.value.plan, error.value.key, error.value.line) == (plan, key, line)
    assert error.value.code == "invalid_plans"
    if line:
        assert f"line {line}" in error.value.message


def test_an_added_file_brings_plans_and_sizes_and_keeps_the_others() -> None:
    added = parse_plans(
        '[HOME]\nkind = "domestic"\n'
        'sizes = [{countries=["JP"], domestic_minutes=7}, {countries=["SI"], domestic_minutes=8}]\n'
        '[NEW]\nkind = "none"'
    )
    plans = merge(parse_plans(CATALOGUE), added)
    assert limits_of(plans, "HOME", "JP").domestic_minutes == 7
    assert limits_of(plans, "HOME", "SI").domestic_minutes == 8
    assert limits_of(plans, "HOME", "AT").domestic_minutes == 1200
    assert plans["HOME"].name == "Home"
    assert plans["NEW"].kind == "none"


def test_an_added_file_cannot_turn_a_plan_into_another_kind() -> None:
    with pytest.raises(Invalid, match="plan HOME ships with kind 'domestic'"):
        merge(parse_plans(CATALOGUE), parse_plans("[HOME]\nkind = 'none'"))


@given(st.text())
def test_any_text_is_a_catalogue_or_an_error_of_ours(text: str) -> None:
    with suppress(PlanError):
        assert all(isinstance(plan, Plan) for plan in parse_plans(text).values())


def test_limits_of_the_narrowest_size_win_over_any() -> None:
    plan = Plan("A", "domestic", pooled=True, sizes=(PlanSize(("SI",), 1), PlanSize((), 2)))
    assert [plan.limits(country).domestic_minutes for country in ("SI", "HR")] == [1, 2]  # type: ignore[union-attr]
