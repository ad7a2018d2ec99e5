"""A deck as NDJSON, one rate a line: what `deck show --format ndjson` writes, and what no table can say."""

from collections.abc import Iterator

from domain.deck_assembly import BadRow
from domain.rate_lines import RateReader, RateWriter, check_keys
from domain.rates import BadRate, Rate


class Lines:
    """Iterates over (line, rate) and bad rows."""

    ignored_columns: tuple[str, ...] = ()
    currency = ""  # these lines name none

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._reader, self._writer = RateReader(), RateWriter()

    def __iter__(self) -> Iterator[tuple[int, Rate] | BadRow]:
        for number, text in enumerate(self._lines, 1):
            if line := text.strip().removeprefix("\ufeff").encode("utf-8", "surrogatepass"):
                try:
                    yield number, self._rate(line)
                except BadRate as error:
                    yield BadRow(number, None, error.column, error.reason)

    def _rate(self, line: bytes) -> Rate:
        rate = self._reader.rate(line)
        if self._writer.line(rate) != line:  # as we write it no key stands twice
            check_keys(line)
        return rate
