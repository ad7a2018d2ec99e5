"""interface.md: "One cell may hold several prefixes or ranges, a leading + or 00, a regular expression, spaces"."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.deck_files.codes import Codes


@pytest.mark.parametrize(
    ("cell", "prefixes"),
    [
        ("376", ("376",)),
        ("376, 3764", ("376", "3764")),
        ("1684;1671", ("1684", "1671")),
        ("234803; 234806; 234703", ("234803", "234806", "234703")),
        ("447400-447403", ("447400", "447401", "447402", "447403")),
        ("49152, 49162, 49172-49174", ("49152", "49162", "49172", "49173", "49174")),
        ("44 7400-7402", ("447400", "447401", "447402")),
        ("52 33", ("5233",)),
        ("336 07, 336 08", ("33607", "33608")),
        ("61 38,39", ("6138", "6139")),
        ("1 684 733", ("1684733",)),
        ("+521", ("521",)),
        ("00386", ("386",)),
        ("+61 38,39", ("6138", "6139")),
        ("^44.*", ("44",)),
        ("^9375.*", ("9375",)),
        ("^+9375\\d+", ("9375",)),
        ("^44.*,^33.*", ("44", "33")),
        ("^.*", ("",)),
        (" '44' ", ("44",)),
        ('="0044"', ("44",)),
        ("376\n3764", ("376", "3764")),
        ("376, ,", ("376",)),
        ("", ("",)),
        ("  ", ("",)),
    ],
)
def test_what_a_cell_of_codes_says(cell: str, prefixes: tuple[str, ...]) -> None:
    assert Codes().read(cell) == prefixes


@pytest.mark.parametrize(
    "cell",
    [
        "44ab",
        "0386",
        "0",
        "1-684",
        "93-70",
        "234-80",
        "49174-49172",
        "1000000-9999999",
        "4.47E+11",
        "376.0",
        "4" * 16,
        "٣٧٦",
        "^44[78].*",
        "^(44|45).*",
        "^44$",
        "N/A",
        ",",
        "61 38, 39, 44 20",
        "1-2-3",
        "\x0044",
        "+",
        "00",
    ],
)
def test_what_is_no_code_is_refused(cell: str) -> None:
    with pytest.raises(ValueError):
        Codes().read(cell)


def test_few_characters_do_not_fill_the_memory() -> None:
    assert len(Codes().read("100000-199999")) == 100_000
    with pytest.raises(ValueError, match="more than 100,000 codes"):
        Codes().read(",".join(["100000-199999"] * 10_000))


def test_codes_without_their_country_get_it() -> None:
    codes = Codes("1")

    assert codes.read("201200, 201201") == ("1201200", "1201201")
    assert codes.read("") == ("1",)
    assert codes.read("+44, 0033") == ("44", "33")
    assert Codes("39").read("06") == ("3906",)


def test_north_american_codes_lack_their_1() -> None:
    assert Codes(npanxx=True).read("201200") == ("1201200",)
    assert Codes(npanxx=True).read("1201200") == ("1201200",)
    assert Codes("1").read("1201200, 201200, 1") == ("1201200", "1201200", "1")  # no area code begins with 1
    assert Codes(npanxx=True).read("201-200") == ("1201200",)
    assert Codes().read("201-203") == ("201", "202", "203")


@given(st.text("0123456789+-,; ^.*[]()x\n'\"=", max_size=30) | st.text(max_size=20))
def test_any_cell_gives_prefixes_or_says_what_is_wrong(cell: str) -> None:
    with suppress(ValueError):
        prefixes = Codes().read(cell)
        assert all(not p or (p.isdecimal() and p[0] != "0" and len(p) <= 15) for p in prefixes)
