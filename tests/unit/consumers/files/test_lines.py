"""Lines of any length in constant memory."""

from __future__ import annotations

import hashlib
import io
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from consumers.files.lines import CHUNK_BYTES, TooLong, read_lines
from tests.streams import repeated


def lines_of(data: bytes, limit: int = 8) -> list[bytes | TooLong]:
    return list(read_lines(io.BytesIO(data).read, limit))


def test_lines_end_with_lf_crlf_or_cr() -> None:
    assert lines_of(b"a\nb\r\nc\rd") == [b"a\n", b"b\r\n", b"c\r", b"d"]


def test_a_crlf_that_falls_between_two_reads_is_one_end() -> None:
    parts = iter([b"abc\r", b"\ndef\r", b"\n", b""])
    assert list(read_lines(lambda _: next(parts))) == [b"abc\r\n", b"def\r\n"]


def test_a_line_is_there_as_soon_as_it_has_come() -> None:
    parts = iter([b"one\ntw", b"o\n"])
    lines = read_lines(lambda _: next(parts))
    assert next(lines) == b"one\n"
    assert next(lines) == b"two\n"


def test_a_line_that_is_too_long_is_told_and_the_next_are_read() -> None:
    long = b"x" * 30
    told = TooLong(long, 30, hashlib.sha256(long).hexdigest())
    for end in (b"\n", b"\r\n", b"\r"):
        first, *rest = lines_of(long + end + b"next" + end)
        assert isinstance(first, TooLong)
        assert first == told._replace(kept=first.kept)
        assert long.startswith(first.kept)
        assert rest == [b"next" + end]


def test_a_line_of_a_gibibyte_is_hashed_in_constant_memory() -> None:
    chunk = b"x" * CHUNK_BYTES
    stream = repeated(b"first\n", chunk, (1 << 30) // CHUNK_BYTES, b"\nlast\n")

    tracemalloc.start()
    first, long, last = read_lines(stream.read)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (first, last) == (b"first\n", b"last\n")
    assert isinstance(long, TooLong)
    assert long.size == 1 << 30
    assert len(long.kept) == 4096
    assert peak < 8 << 20


@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b"x" * 9, b"y" * 40])), st.integers(1, 9))
def test_every_byte_is_in_a_line_however_reads_fall(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    stream = io.BytesIO(data)
    lines = list(read_lines(lambda _: stream.read(size), 1 << 20))

    assert b"".join(line for line in lines if isinstance(line, bytes)) == data
    assert lines == data.splitlines(keepends=True)


@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b"x" * 9, b"y" * 40])), st.integers(1, 9))
def test_lines_that_are_too_long_have_their_size_and_hash(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    stream = io.BytesIO(data)
    lines = list(read_lines(lambda _: stream.read(size), 8))

    expected = [line.rstrip(b"\r\n") for line in data.splitlines()]
    assert len(lines) == len(expected)
    for line, whole in zip(lines, expected, strict=True):
        if isinstance(line, TooLong):
            assert (line.size, line.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
        else:
            assert line.rstrip(b"\r\n") == whole
