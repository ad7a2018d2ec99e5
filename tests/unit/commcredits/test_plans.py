"""The catalogue that ships says what the domain's table says; an operator's file adds to it."""

from pathlib import Path

import pytest

from commcredits.plans import load_plans
from domain.errors import Invalid, Refused
from domain.plans import limits_of


@pytest.mark.parametrize(
    ("code", "country", "domestic", "international"),
    [
        *(("MCOPSTN1", country, 3000, 0) for country in ("US", "PR", "CA")),
        *(("MCOPSTN1", country, 1200, 0) for country in ("GB", "SI", "DE", "FR", "MT")),
        *(("MCOPSTN2", country, 3000, 600) for country in ("US", "PR")),
        *(("MCOPSTN2", country, 1200, 600) for country in ("GB", "SI")),
        *(("MCOPSTN5", country, 120, 0) for country in ("US", "SI", "JP")),
        ("MCOPSTN6", "SI", 240, 0),
        ("MCOPSTN8", "SI", 120, 0),
        *((code, "SI", 0, 0) for code in ("MCOPSTN_PAYG_1", "MCOPSTN_PAYG_2", "MCOPSTNPP")),
    ],
)
def test_included_minutes_of_calling_plans(code: str, country: str, domestic: int, international: int) -> None:
    limits = limits_of(load_plans(), code, country)
    assert (limits.domestic_minutes, limits.international_minutes, limits.dialout_minutes) == (
        domestic,
        international,
        0,
    )


def test_conferencing_includes_60_dialout_minutes_a_licence() -> None:
    assert limits_of(load_plans(), "MCOMEETADD", "").dialout_minutes == 60


def test_only_the_120_minutes_of_mcopstn8_are_a_users_own() -> None:
    assert [code for code, plan in load_plans().items() if not plan.pooled] == ["MCOPSTN8"]


def test_a_domestic_plan_is_refused_where_it_has_no_size() -> None:
    for code, country in (("MCOPSTN1", "JP"), ("MCOPSTN2", "CA")):
        with pytest.raises(Refused, match=f"{code} has no size for {country}"):
            limits_of(load_plans(), code, country)


def test_an_operators_file_adds_a_plan_and_a_size(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    file.write_text(
        '[MCOPSTN9]\nkind = "domestic"\nsizes = [{domestic_minutes = 60}]\n'
        '[MCOPSTN1]\nkind = "domestic"\nsizes = [{countries = ["JP"], domestic_minutes = 500}]\n'
    )
    plans = load_plans(file)
    assert limits_of(plans, "MCOPSTN9", "BR").domestic_minutes == 60
    assert limits_of(plans, "MCOPSTN1", "JP").domestic_minutes == 500
    assert limits_of(plans, "MCOPSTN1", "US").domestic_minutes == 3000


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"[A]\nkind='x'", "plan A, key kind, line 2"), (b"\xff\xfe", "cannot be read"), (None, "cannot be read")],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "plans.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Invalid, match=says) as error:
        load_plans(file)
    assert error.value.message.startswith(str(file))
    assert error.value.code == "invalid_plans"
