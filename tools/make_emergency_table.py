"""Writes domain/emergency_numbers.py: which numbers call for help in each country.

The source is the metadata of the `phonenumbers` package; every number of two or three digits that its patterns take is
written down. Run it after an upgrade of `phonenumbers`: `python tools/make_emergency_table.py`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata
from phonenumbers.shortnumberinfo import SUPPORTED_SHORT_REGIONS

TARGET = Path(__file__).resolve().parent.parent / "domain" / "emergency_numbers.py"
LENGTHS = (2, 3)  # the few longer ones of some countries may be somebody's number elsewhere

HEADER = '''"""Country -> emergency numbers, made by tools/make_emergency_table.py from phonenumbers {version}.

One line a country: ISO 3166 alpha-2, then its numbers as they are dialled.
"""

from typing import Final

EMERGENCY_NUMBERS: Final = """
'''


def numbers_of(pattern: str) -> list[str]:
    """All that a pattern takes, shortest first."""
    matches = re.compile(pattern).fullmatch
    return [number for length in LENGTHS for number in _digits(length) if matches(number)]


def _digits(length: int) -> Iterator[str]:
    return (f"{number:0{length}}" for number in range(10**length))


def lines() -> Iterator[str]:
    """The table's lines, in order of country."""
    for region in sorted(SUPPORTED_SHORT_REGIONS):
        metadata: Any = PhoneMetadata.short_metadata_for_region(region)
        pattern = metadata and metadata.emergency and metadata.emergency.national_number_pattern
        numbers = numbers_of(pattern) if pattern else []
        if numbers:
            yield " ".join((region, *numbers))


def render() -> str:
    """The module's text."""
    return HEADER.format(version=phonenumbers.__version__) + "\n".join(lines()) + '\n"""\n'


def main() -> None:
    """Writes the table."""
    TARGET.write_text(render(), encoding="ascii")


if __name__ == "__main__":
    main()
