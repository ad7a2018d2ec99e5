"""CSV rows: quotes that are closed, and quotes that are not."""

from __future__ import annotations

import io
import time

from hypothesis import given
from hypothesis import strategies as st

from consumers.files.csv_rows import Row, RowReader
from consumers.files.lines import read_lines


def rows_of(data: bytes, columns: int = 3, texts: tuple[int, ...] = (2,)) -> list[Row]:
    """Rows of a table with so many columns, of which `texts` may hold line breaks."""

    def fits(cells: list[str]) -> bool:
        return len(cells) == columns and not any("\n" in cell for i, cell in enumerate(cells) if i not in texts)

    return list(RowReader(read_lines(io.BytesIO(data).read)).rows(fits))


def seen(data: bytes) -> list[tuple[int, list[str] | str]]:
    return [(row.line, row.cells or row.problem[:19]) for row in rows_of(data)]


UNCLOSED = "a quote opens in th"


def test_rows_are_cells_and_blank_lines_are_none() -> None:
    assert seen(b'a,b,c\r\n\r\n"d, e","f""g",\r\n') == [(1, ["a", "b", "c"]), (3, ["d, e", 'f"g', ""])]


def test_a_row_may_span_lines_where_text_may() -> None:
    assert seen(b'a,b,"c\nd"\ne,f,g\n') == [(1, ["a", "b", "c\nd"]), (3, ["e", "f", "g"])]


def test_a_quote_that_swallows_the_file_costs_its_line_only() -> None:
    data = b'a,b,c\nd,"e,f\n' + b"g,h,i\n" * 3
    assert seen(data) == [
        (1, ["a", "b", "c"]),
        (2, UNCLOSED),
        (3, ["g", "h", "i"]),
        (4, ["g", "h", "i"]),
        (5, ["g", "h", "i"]),
    ]


def test_a_quote_that_a_later_row_closes_swallows_nothing() -> None:
    assert seen(b'a,"b,c\nd,e,f\ng,"h,i\nj,k,l\n') == [
        (1, UNCLOSED),
        (2, ["d", "e", "f"]),
        (3, UNCLOSED),
        (4, ["j", "k", "l"]),
    ]


def test_a_quote_that_would_hide_a_row_in_a_number_swallows_nothing() -> None:
    assert seen(b'a,"b,c\nd,e,f\ng",h,i\n')[1] == (2, ["d", "e", "f"])


def test_a_row_of_more_than_a_mebibyte_is_no_row() -> None:
    data = b'a,b,"c\n' + b"d,e,f\n" * 200_000 + b'"\ng,h,i\n'
    rows = rows_of(data)

    assert rows[0].problem.startswith(UNCLOSED)
    assert len(rows) == 200_003
    assert rows[-1].cells == ["g", "h", "i"]


def test_many_unclosed_quotes_take_no_more_than_twice_the_time() -> None:
    started = time.process_time()
    assert len(rows_of(b'a,"b,c\n' * 100_001)) == 100_001
    assert time.process_time() - started < 10


def test_what_is_no_csv_or_no_utf_8_is_told() -> None:
    assert [row.problem for row in rows_of(b'"a"b,c,"d"\n')] == ["it is no CSV: ',' expected after '\"'"]
    assert [row.problem for row in rows_of(b"a,\xe9,c\n")] == ["it is not UTF-8: invalid continuation byte at byte 3"]


def test_cr_alone_ends_a_row_too() -> None:
    assert seen(b"a,b,c\rd,e,f\r") == [(1, ["a", "b", "c"]), (2, ["d", "e", "f"])]


@given(st.binary(max_size=200) | st.text('a,"\n\r', max_size=60).map(str.encode))
def test_any_bytes_are_rows_or_problems_and_no_line_is_lost(data: bytes) -> None:
    lines = data.splitlines(keepends=True)
    rows = rows_of(data)

    covered = set()
    for row in rows:
        assert isinstance(row.raw, bytes)
        covered |= set(range(row.line, row.line + len((row.raw + b".").splitlines())))
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= covered
