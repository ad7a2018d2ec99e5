"""Numbers: their digits, and that our table of prefixes agrees with what `phonenumbers` knows."""

import random
import runpy
from collections.abc import Iterator
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from domain.numbers import ZONE_A, Number, area_of, country_of, is_emergency_number, parse_number, same_area

ROOT = Path(__file__).resolve().parents[3]
TRIES = 40


def valid_numbers(region: str, rng: random.Random) -> Iterator[phonenumbers.PhoneNumber]:
    """Valid numbers of a region: its example of each type with other digits at its end.

    Canada's seven-digit 310-xxxx are left out: they are dialled inside Canada only, and +1 310 is Los Angeles.
    """
    for kind in PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        for _ in range(TRIES):
            changed = rng.randrange(1, min(8, len(str(example.national_number))))
            tail = "".join(rng.choices("0123456789", k=changed))
            number = phonenumbers.parse(text[:-changed] + tail)
            if phonenumbers.is_valid_number(number) and (region != "CA" or len(text) == len("+1") + 10):
                yield number


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_country_of_a_valid_number_is_what_phonenumbers_says(region: str) -> None:
    rng = random.Random(region)
    for number in valid_numbers(region, rng):
        digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
        assert country_of(digits) == phonenumbers.region_code_for_number(number), digits


def test_north_american_area_codes_are_those_of_phonenumbers() -> None:
    for area in range(200, 1000):
        for line in ("2345678", "9876543"):
            number = phonenumbers.parse(f"+1{area}{line}")
            if phonenumbers.is_valid_number(number):
                assert country_of(f"1{area}{line}") == phonenumbers.region_code_for_number(number), area


@pytest.mark.parametrize(
    ("digits", "country"),
    [
        ("12025550123", "US"),
        ("14165550123", "CA"),
        ("17875550123", "PR"),
        ("19395550123", "PR"),
        ("18095550123", "DO"),
        ("18765550123", "JM"),
        ("74951234567", "RU"),
        ("77012345678", "KZ"),
        ("442071234567", "GB"),
        ("441481234567", "GG"),
        ("441534234567", "JE"),
        ("441624234567", "IM"),
        ("390612345678", "IT"),
        ("390669812345", "VA"),
        ("4721234567", "NO"),
        ("4779123456", "SJ"),
        ("38612345678", "SI"),
        ("886212345678", "TW"),
        ("8801712345678", "BD"),
    ],
)
def test_shared_codes_are_split(digits: str, country: str) -> None:
    assert country_of(digits) == country


@pytest.mark.parametrize("code", ["800", "808", "870", "878", "881", "882", "883", "888", "979"])
def test_codes_of_no_country_have_none(code: str) -> None:
    assert country_of(f"{code}12345678") is None


@pytest.mark.parametrize("digits", ["", "0", "012345", "99912345", "2101234", "999"])
def test_unknown_codes_have_no_country(digits: str) -> None:
    assert country_of(digits) is None


def test_what_is_no_other_countrys_belongs_to_the_main_country_of_its_code() -> None:
    assert country_of("18005550123") == "US"  # toll-free: valid in all of North America
    assert country_of("15551234567") == "US"  # an area code that is not assigned
    assert country_of("447000000000") == "GB"


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("+3861***", "SI"),
        ("+1416***", "CA"),
        ("+1787*", "PR"),
        ("+44148***", "GB"),
        ("+441481***", "GG"),
        ("+39066981**", "VA"),
    ],
)
def test_a_masked_number_has_the_country_of_its_visible_digits(text: str, country: str) -> None:
    number = parse_number(text)
    assert number is not None
    assert number.masked
    assert country_of(number.digits) == country


@given(st.text(alphabet="0123456789", max_size=20))
def test_the_country_is_found_for_any_digits_and_one_more_digit_keeps_a_known_code(digits: str) -> None:
    country = country_of(digits)
    assert country is None or (len(country) == 2 and country.isupper())
    if country is not None:
        assert all(country_of(digits + more) is not None for more in "0123456789")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+38612345678", Number("38612345678", masked=False)),
        ("38612345678", Number("38612345678", masked=False)),
        ("+3861234***", Number("3861234", masked=True)),
        ("1*", Number("1", masked=True)),
    ],
)
def test_a_number_is_digits_with_an_optional_plus_and_a_masked_end(text: str, number: Number) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "***",
        "+***",
        "++386",
        "386+",
        "38*6",
        "386 1",
        "386-1",
        " 386",
        "386\n",
        "(1)2",
        "anonymous",
        "٣٨٦",
        "38²",
        "sip:386",
    ],
)
def test_anything_else_is_no_number(text: str) -> None:
    assert parse_number(text) is None


@given(st.text())
def test_any_text_is_a_number_of_ascii_digits_or_none(text: str) -> None:
    number = parse_number(text)
    if number is not None:
        assert number.digits.isascii()
        assert number.digits.isdigit()
        assert text.removeprefix("+").rstrip("*") == number.digits


def test_the_us_and_puerto_rico_are_one_domestic_area() -> None:
    assert area_of("PR") == "US"
    assert area_of("SI") == "SI"
    assert same_area("PR", "US")
    assert same_area("US", "PR")
    assert same_area("SI", "SI")
    assert not same_area("US", "CA")


def test_a_number_of_no_country_is_domestic_to_none() -> None:
    assert not same_area(None, "US")
    assert not same_area(None, None)


def test_zone_a_has_its_44_destinations() -> None:
    assert len(ZONE_A) == 44
    assert {"US", "PR", "SI", "TW", "ZA"} <= ZONE_A
    assert not {"AE", "CL", "RS", "UA"} & ZONE_A


def test_the_table_is_the_one_its_script_makes() -> None:
    script = runpy.run_path(str(ROOT / "tools" / "make_prefix_table.py"))
    assert script["render"]() == (ROOT / "domain" / "country_prefixes.py").read_text(encoding="utf-8")


def test_the_emergency_numbers_are_those_that_their_script_finds() -> None:
    script = runpy.run_path(str(ROOT / "tools" / "make_emergency_table.py"))
    assert script["render"]() == (ROOT / "domain" / "emergency_numbers.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("dialled", "country", "emergency"),
    [
        ("112", "SI", True), ("113", "SI", True), ("999", "GB", True), ("999", "SI", False), ("000", "AU", True),
        ("911", "SI", True), ("112", "", True), ("11", "SI", False), ("+112", "SI", False), ("", "SI", False),
    ],
)  # fmt: skip
def test_help_is_called_by_the_numbers_of_the_country(dialled: str, country: str, emergency: bool) -> None:
    assert is_emergency_number(dialled, [country]) is emergency
