"""interface.md: a deck that a table cannot say is NDJSON."""

from domain.rate_lines import encode_rate
from tests.support.deck_files import Read
from tests.support.decks import rate, terms

TWO_SLOTS = terms((0, "0.12", 60), (60, "0.09", 1), fee="0.05")
LINE = encode_rate(rate("4479", TWO_SLOTS, origin="386", since="2026-01-01")).decode()


def test_it_is_told_apart_by_its_content() -> None:
    read = Read(f"\n{LINE}\r\n\n{encode_rate(rate('44')).decode()}")

    assert [(line, encode_rate(each).decode()) for line, each in read.lines] == [
        (2, LINE),
        (4, encode_rate(rate("44")).decode()),
    ]
    assert (read.currency, read.ignored_columns) == ("", [])


def test_a_byte_order_mark_and_spaces_do_no_harm() -> None:
    assert Read("\ufeff" + LINE.replace('":', '": ').replace(',"', ', "')).prices == {"4479<386": "0.12"}


def test_a_bad_line_is_named_and_reading_goes_on() -> None:
    twice = LINE.replace('"origin":"386"', '"prefix":"45"')
    read = Read("\n".join(['{"prefix":"x","slots":[]}', "{", twice, LINE, '{"prefix":"44","slots":[]}']))

    assert [(line, column) for line, column, _ in read.reasons] == [(1, "prefix"), (2, ""), (3, "prefix"), (5, "slots")]
    assert read.prices == {"4479<386": "0.12"}
