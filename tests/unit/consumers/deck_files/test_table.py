"""interface.md, *Rate decks people already have*: tables of every shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.deck_files.layout import SYNONYMS
from domain.errors import DomainError, Invalid, Refused
from tests.support.deck_files import Read, day, increments


@pytest.mark.parametrize("name", [name for meaning in ("prefix", "rate") for name in SYNONYMS[meaning]])
def test_prefix_and_rate_by_all_their_names(name: str) -> None:
    other = "rate" if name in SYNONYMS["prefix"] else "prefix"
    header, row = (f"{name},{other}", "1201,0.5") if other == "rate" else (f"{name},{other}", "0.5,1201")

    assert Read(f"{header}\n{row}\n").prices == {"1201": "0.5"}


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Dial Code(s),Price / Min", "44,0.02"),
        ("DESTINATION PREFIXES,COST / MIN (USD)", "44,0.02"),
        ("complete_code,Rate (EUR/Min)", "44,0.02"),
        ("rate_cost,prefix", "0.02,44"),
        ("Rate USD,Prefix", "0.02,44"),
        (' "Prefix" , "Rate" ', "44,0.02"),
        ("Country Code,Area Code,Rate", "4,4,0.02"),
        ("Current Rate,New Rate,Code", "0.5,0.02,44"),
    ],
)
def test_names_in_any_order_and_case(header: str, row: str) -> None:
    assert Read(f"{header}\n{row}\n").prices == {"44": "0.02"}


def test_country_and_area_code_may_stand_apart() -> None:
    read = Read('country code,area code,rate\n61,"38,39",0.02\n376,,0.03\n1,684,0.04\n')

    assert read.prices == {"6138": "0.02", "6139": "0.02", "376": "0.03", "1684": "0.04"}


def test_a_whole_code_counts_before_its_parts() -> None:
    read = Read("Country Code,Area Code,Complete Code,Rate\n61,38,6138,0.02\n")

    assert read.prices == {"6138": "0.02"}
    assert read.ignored_columns == ["Country Code", "Area Code"]


def test_columns_that_are_not_known_are_named() -> None:
    assert Read("Prefix,Rate,Margin,,Vendor\n44,0.02,1,2,3\n").ignored_columns == ["Margin", "Vendor"]


def test_two_columns_of_one_name_are_not_decided_silently() -> None:
    with pytest.raises(Refused, match="both could be the rate") as refused:
        Read("Prefix,Rate,rate\n44,0.02,0.03\n")
    assert refused.value.code == "deck_columns_ambiguous"


def test_origin_prefixes_multiply_with_prefixes() -> None:
    read = Read('Origination Prefixes,Prefix,Rate\n"386, 385","44, 33",0.02\n,44,0.03\nany,33,0.05\n')

    assert read.prices == {
        "44<386": "0.02", "44<385": "0.02", "33<386": "0.02", "33<385": "0.02", "44": "0.03", "33": "0.05",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "cells", "slots"),
    [
        ("rate", "0.12", [(0, "0.12", 60)]),
        ("rate,billing", "0.12,60/1", [(0, "0.12", 60), (60, "0.12", 1)]),
        ("rate,pulse", "0.12,30/6", [(0, "0.12", 30), (30, "0.12", 6)]),
        ("rate,increment", "0.12,6", [(0, "0.12", 6)]),
        ("rate,increment", "0.12,6/6", [(0, "0.12", 6)]),
        ("rate,initial increment,increment", "0.12,60,1", [(0, "0.12", 60), (60, "0.12", 1)]),
        ("rate,initblock,billingblock", "0.12,0,1", [(0, "0.12", 1)]),
        ("rate,rate_minimum,rate_increment", "0.12,60,60", [(0, "0.12", 60)]),
        ("rate,min,int", "0.12,30,6", [(0, "0.12", 30), (30, "0.12", 6)]),
        ("rate,initial increment", "0.12,30", [(0, "0.12", 30)]),
        ("rate,increment", "0.12,N/A", [(0, "0.12", 60)]),
        ("price 1,price n,interval 1,interval n", "0.12,0.09,60,1", [(0, "0.12", 60), (60, "0.09", 1)]),
        ("price 1,price n,interval 1,interval n", "0.12,0.12,1,1", [(0, "0.12", 1)]),
        ("initial_rate,next_rate", "0.12,0.09", [(0, "0.12", 60), (60, "0.09", 60)]),
        ("initial_rate,next_rate,billing", "0.12,0.09,30", [(0, "0.12", 30), (30, "0.09", 30)]),
        ("initial_rate,next_rate", "0.12,", [(0, "0.12", 60)]),
        ("rate,price 1,price n", "0.5,0.12,0.12", [(0, "0.12", 60)]),
    ],
)
def test_prices_and_increments(header: str, cells: str, slots: list[tuple[int, str, int]]) -> None:
    read = Read(f"prefix,{header}\n44,{cells}\n")

    assert read.bad == []
    found = read.rates[0].terms.slots
    assert [(s.from_second, f"{s.rate_per_minute:f}", s.increment_seconds) for s in found] == slots


@pytest.mark.parametrize("name", SYNONYMS["connection fee"])
def test_connection_fees(name: str) -> None:
    read = Read(f"prefix,rate,{name}\n44,0.1,0.05\n33,0.1,N/A\n")

    assert [f"{rate.terms.connection_fee:f}" for rate in read.rates] == ["0.05", "0"]


def test_dates() -> None:
    read = Read("prefix,rate,effective_at,valid_till\n44,0.1,ASAP,2026-12-31\n33,0.1,2026-09-23 12:00:00,\n")

    assert [(day(rate.effective_from), day(rate.effective_to)) for rate in read.rates] == [
        (None, "2027-01-01"),
        ("2026-09-23T12:00:00Z", None),
    ]


def test_a_later_date_tells_how_the_earlier_ones_are_written() -> None:
    read = Read("prefix,rate,effective date\n44,0.1,10/09/2026\n33,0.1,\n1,0.1,01/10/2026\n7,0.1,23/09/2026\n2,x,\n")

    assert [(rate.prefix, day(rate.effective_from)) for rate in read.rates] == [
        ("44", "2026-09-10"),
        ("33", None),
        ("1", "2026-10-01"),
        ("7", "2026-09-23"),
    ]
    assert read.reasons[0][:2] == (6, "rate")


def test_an_end_date_may_tell_how_the_begin_is_written() -> None:
    read = Read("prefix,rate,effective date,end date\n44,0.1,10/09/2026,23/09/2026\n")

    assert day(read.rates[0].effective_from) == "2026-09-10"


def test_where_no_date_tells_the_person_is_asked() -> None:
    content = "prefix,rate,effective date\n44,0.1,10/09/2026\n"

    with pytest.raises(Invalid, match="--date-format") as asked:
        Read(content)
    assert (asked.value.code, asked.value.field) == ("ambiguous_date", "date_format")
    assert day(Read(content, date_format="dd/mm/yyyy").rates[0].effective_from) == "2026-09-10"
    assert day(Read(content, date_format="%m/%d/%Y").rates[0].effective_from) == "2026-10-09"


def test_direction() -> None:
    read = Read("prefix,rate,direction\n44,0.1,\n33,0.1,In\n1,0.1,outbound\n7,0.1,up\n")

    assert [rate.direction for rate in read.rates] == ["out", "in", "out"]
    assert read.reasons == [(5, "direction", "'up' is neither out nor in")]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("Forbidden", "1"),
        ("discontinued", "yes"),
        ("reject_calls", "true"),
        ("Status", "Closed"),
        ("Change", "closed"),
        ("withdrawn", "yes"),
    ],
)
def test_withdrawn_rows_keep_their_price_and_need_none(column: str, cell: str) -> None:
    read = Read(f"prefix,rate,{column}\n44,0.1,{cell}\n33,N/A,{cell}\n1,0.2,\n")

    assert [(rate.terms.blocked, len(rate.terms.slots)) for rate in read.rates] == [
        ("withdrawn", 1), ("withdrawn", 0), (None, 1),
    ]  # fmt: skip


def test_one_of_several_withdrawing_columns_is_enough() -> None:
    read = Read("prefix,rate,forbidden,discontinued,status\n44,0.1,0,1,Active\n33,0.1,0,0,Closed\n1,0.1,0,0,Active\n")

    assert [rate.terms.blocked for rate in read.rates] == ["withdrawn", "withdrawn", None]


def test_the_most_telling_name_that_is_there_is_taken() -> None:
    read = Read("country,description,prefix,rate\nFrance,Mobile  Orange,33607,0.1\nFrance,,33,0.1\n")

    assert [rate.name for rate in read.rates] == ["Mobile Orange", "France"]


class TestText:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_separators_and_line_ends(self, delimiter: str, end: str) -> None:
        rows = ["name;prefix;rate", "UK;44;0.02", "", 'FR;"33";0.03', ""]
        read = Read(end.join(rows).replace(";", delimiter))

        assert read.prices == {"44": "0.02", "33": "0.03"}
        assert [line for line, _ in read.lines] == [2, 4]

    def test_decimal_commas(self) -> None:
        assert Read('prefix;rate\n44;0,02\n33;1,250\n1;"1.234,5"\n').prices == {
            "44": "0.02",
            "33": "1.25",
            "1": "1234.5",
        }
        assert Read('prefix,rate\n44,"0,02"\n').prices == {"44": "0.02"}

    def test_a_decimal_comma_that_splits_its_cell_is_noticed(self) -> None:
        assert Read("prefix,rate\n44,0,02\n").reasons[0][0] == 2

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8", "cp1252"])
    def test_encodings(self, encoding: str) -> None:
        read = Read("prefix,rate,name\n225,0.02,Côte d’Ivoire\n".encode(encoding))

        assert [(rate.prefix, rate.name) for rate in read.rates] == [("225", "Côte d’Ivoire")]

    def test_a_notice_above_the_header_and_words_below_the_rows(self) -> None:
        read = Read(
            "Acme Voice\nIssue date:,16/09/2026\nCurrency:,EUR per minute\n\n"
            "Code,Rate\n44,0.02\n\n,\nRates may change without notice.\nCode,Rate\nTotal,,\n33,0.03\n"
        )

        assert read.prices == {"44": "0.02", "33": "0.03"}
        assert read.bad == []
        assert read.currency == "EUR"
        assert [line for line, _ in read.lines] == [6, 12]

    def test_no_header_at_all(self) -> None:
        read = Read("44,UK,x,0.05,,,0.02\n33,France,y,0,,,0.03\n", columns="prefix,name,,connection_fee,,,rate")

        assert read.prices == {"44": "0.02", "33": "0.03"}
        assert f"{read.rates[0].terms.connection_fee:f}" == "0.05"
        assert Read("44;0,02\n", columns="prefix,rate").prices == {"44": "0.02"}

    @pytest.mark.parametrize("columns", ["prefix,prise", "prefix,name", "rate", "prefix,rate,rate"])
    def test_columns_that_cannot_be_are_wrong_use(self, columns: str) -> None:
        with pytest.raises(Invalid) as refused:
            Read("44,0.1\n", columns=columns)
        assert (refused.value.code, refused.value.field) == ("invalid_columns", "columns")

    def test_a_wrong_column_gets_the_nearest_right_one(self) -> None:
        with pytest.raises(Invalid, match="did you mean prefix"):
            Read("44,0.1\n", columns="prefx,rate")

    def test_units_and_country_codes(self) -> None:
        read = Read("npa,rate\n201200,495\n".replace("npa", "code"), unit="0.0001", country_code="1")

        assert read.prices == {"1201200": "0.0495"}

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            ("", "deck_empty"),
            ("hello\nworld\n", "deck_unreadable"),
            ("44,0.1\n33,0.2\n", "deck_unreadable"),
            ("prefix,name\n44,UK\n", "deck_column_missing"),
            ("rate,name\n0.1,UK\n", "deck_column_missing"),
            (b"PK\x03\x04\x00\x00", "deck_unreadable"),
            (b"\x00\x01\x02", "deck_unreadable"),
        ],
    )
    def test_a_file_that_is_no_deck_is_refused(self, content: str | bytes, code: str) -> None:
        with pytest.raises(Refused) as refused:
            Read(content)
        assert refused.value.code == code

    def test_a_line_without_end_is_refused(self) -> None:
        with pytest.raises(Refused) as refused:
            Read(b"prefix,rate\n" + b"4" * (9 << 20))
        assert refused.value.code == "too_large"


class TestBadRows:
    def test_each_names_line_column_and_reason(self) -> None:
        read = Read(
            "Dial Code,Rate/Min,Billing,Effective\nx4,0.1,,\n44,abc,,\n44,N/A,,\n44,0.1,0,\n44,0.1,,never\n33,0.1,,\n"
        )

        assert [(line, column) for line, column, _ in read.reasons] == [
            (2, "Dial Code"), (3, "Rate/Min"), (4, "Rate/Min"), (5, "Billing"), (6, "Effective"),
        ]  # fmt: skip
        assert read.prices == {"33": "0.1"}

    def test_a_row_that_ends_before_it_begins(self) -> None:
        read = Read("prefix,rate,valid from,valid to\n44,0.1,2026-09-10,2026-09-01\n")

        assert read.reasons == [(2, "effective to", "it ends before it begins")]

    @pytest.mark.parametrize("following", ["1,0.3\n", '1,0.3\n"7",0.4\n', "1,0.3\n" * 200_000])
    def test_a_quote_that_is_not_closed_swallows_nothing(self, following: str) -> None:
        read = Read(f'prefix,rate\n44,0.1\n"33,0.2\n{following}')

        assert [(line, "a quote not closed" in reason) for line, _, reason in read.reasons] == [(3, True)]
        assert len(read.lines) == 1 + following.count("\n")
        assert read.lines[-1][0] == 3 + following.count("\n")

    def test_reading_goes_on_after_a_broken_quote(self) -> None:
        read = Read('prefix,rate\n"44"x,0.1\n33,0.2\n')

        assert read.prices == {"33": "0.2"}
        assert read.reasons[0][0] == 2

    def test_currencies_that_differ_within_a_file(self) -> None:
        read = Read("prefix,rate,currency\n44,0.1,EUR\n33,0.1,USD\n1,0.1,\n7,0.1,XQQ\n")

        assert read.currency == "EUR"
        assert [(line, column) for line, column, _ in read.reasons] == [(3, "currency"), (5, "currency")]


@pytest.mark.parametrize(
    ("content", "currency"),
    [
        ("Currency: USD\nprefix,rate\n44,0.1\n", "USD"),
        ("prefix,rate (GBP)\n44,0.1\n", "GBP"),
        ("prefix,rate\n44,EUR 0.1\n", "EUR"),
        ("prefix,rate,currency\n44,0.1,chf\n", "CHF"),
        ("prefix,rate\n44,0.1\nAll prices in USD per minute\n", "USD"),
        ("prefix,rate\n44,0.1\n", ""),
        ("Prices in USD or EUR\nprefix,rate\n44,0.1\n", ""),
        ("Prices (USD)\nprefix,rate\n44,0.1\n", "USD"),
        ("ALL RATES IN ALL COUNTRIES\nprefix,rate\n44,0.1\n", ""),
        ("Currency: ALL\nprefix,rate\n44,0.1\n", "ALL"),
    ],
)
def test_the_currency_that_a_file_names(content: str, currency: str) -> None:
    assert Read(content).currency == currency


text = st.text(st.sampled_from('prefixrate,;\t\n\r"0123456789./-€ABCé\x00') | st.characters(), max_size=200)


def read_or_code(content: bytes) -> Read | str:
    try:
        return Read(content)
    except DomainError as error:
        return error.code


@given(st.sampled_from(("", "prefix,rate\n", "prefix;rate;effective date\n", '{"prefix":"44"')), text)
def test_any_text_is_read_or_refused_with_a_stable_code(header: str, body: str) -> None:
    read = read_or_code((header + body).encode("utf-8", "surrogatepass"))

    if isinstance(read, Read):
        assert all(bad.reason and bad.line for bad in read.bad)
        assert all(increments(rate) for rate in read.rates if rate.terms.slots)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_stable_code(content: bytes) -> None:
    assert read_or_code(b"prefix,rate\n" + content)
    assert read_or_code(content)
