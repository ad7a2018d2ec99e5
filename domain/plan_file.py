"""A catalogue of plans as text, read and checked.

It is TOML, one table a plan, named by its capability code:

    [MCOPSTN1]
    name = "Domestic Calling Plan"    # optional, for people
    kind = "domestic"                 # domestic, domestic_or_international, dialout or none
    pooled = true                     # false: each user has minutes of their own
    sizes = [                         # minutes per licence and calendar month, by the licence's country
        { countries = ["US", "PR", "CA"], domestic_minutes = 3000 },
        { countries = ["GB", "EU"], domestic_minutes = 1200 },
    ]

`EU` stands for the members of the European Union; a size without `countries` holds wherever no other does.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from domain.errors import Invalid
from domain.plans import KINDS, Plan, PlanSize, in_order

EU: Final = "EU"
_EU_MEMBERS = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
EU_MEMBERS: Final = tuple(_EU_MEMBERS.split())
MAX_MINUTES: Final = 10_000_000
_KEYS = ("name", "kind", "pooled", "sizes")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_TOML_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


class PlanError(Invalid):
    """A catalogue that cannot be read: names the plan, its key and the line (0 where unknown)."""

    def __init__(self, message: str, plan: str = "", key: str = "", line: int = 0) -> None:
        places = (f"plan {plan}" if plan else "", f"key {key}" if key else "", f"line {line}" if line else "")
        where = ", ".join(filter(None, places))
        super().__init__("invalid_plans", f"{where}: {message}" if where else message, key)
        self.plan, self.key, self.line = plan, key, line


def parse_plans(text: str) -> dict[str, Plan]:
    """A catalogue's plans by code. Raises PlanError naming plan, key and line."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_LINE.search(str(error))
        raise PlanError(_TOML_LINE.sub("", str(error)), line=int(found[1]) if found else 0) from None
    except RecursionError:
        raise PlanError("is nested too deeply") from None
    return {code: _Reader(text, code).plan(table) for code, table in document.items()}


class _Reader:
    """One plan's table, with what an error must name."""

    def __init__(self, text: str, code: str) -> None:
        self.text, self.code = text, code

    def plan(self, table: Any) -> Plan:
        if not isinstance(table, dict):
            raise self.error("", f"is no plan; write [{self.code}] and its keys below")
        if not _CODE.fullmatch(self.code):
            raise self.error("", "a plan is named by letters, digits, _ . -, at most 64")
        self.known(table, _KEYS, "")
        kind = table.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise self.error("kind", f"is {', '.join(KINDS)}, not {kind!r}")
        pooled, name = table.get("pooled", True), table.get("name", "")
        if not isinstance(pooled, bool):
            raise self.error("pooled", f"is true or false, not {pooled!r}")
        if not isinstance(name, str):
            raise self.error("name", "is text")
        return Plan(self.code, kind, pooled, self.sizes(kind, table.get("sizes", [])), name)

    def sizes(self, kind: str, rows: Any) -> tuple[PlanSize, ...]:
        needed = KINDS[kind]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self.error("sizes", "is a list of tables such as { countries = ['US'], domestic_minutes = 3000 }")
        if bool(rows) != bool(needed):
            raise self.error("sizes", f"is {'needed' if needed else 'not allowed'} in a plan of kind {kind}")
        sizes = [self.size(row, needed) for row in rows]
        named = [country for size in sizes for country in size.countries or ("any",)]
        twice = {country for country in named if named.count(country) > 1}
        if twice:
            raise self.error("sizes", f"names {', '.join(sorted(twice))} twice")
        return in_order(sizes)

    def size(self, row: dict[str, Any], needed: tuple[str, ...]) -> PlanSize:
        self.known(row, ("countries", *needed), "sizes")
        for key in needed:
            minutes = row.get(key)
            if type(minutes) is not int or not 0 <= minutes <= MAX_MINUTES:
                raise self.error(key, f"is whole minutes, 0 to {MAX_MINUTES}, not {minutes!r}")
        return PlanSize(self.countries(row.get("countries", [])), **{key: row[key] for key in needed})

    def countries(self, names: Any) -> tuple[str, ...]:
        if not isinstance(names, list) or not all(isinstance(name, str) and _COUNTRY.fullmatch(name) for name in names):
            raise self.error("countries", "is a list of ISO 3166 codes such as 'US', or 'EU'")
        return tuple(member for name in names for member in (EU_MEMBERS if name == EU else (name,)))

    def known(self, table: Mapping[str, Any], keys: Iterable[str], inside: str) -> None:
        for key in table:
            if key not in keys:
                place = f" inside {inside}" if inside else ""
                raise self.error(key, f"is not known{place}{_nearest(key, keys)}")

    def error(self, key: str, message: str) -> PlanError:
        return PlanError(message, self.code, key, _line_of(self.text, self.code, key))


def _line_of(text: str, code: str, key: str) -> int:
    """The line of a key inside its plan's table, else of the table's header, else 0."""
    header = re.compile(rf"""\s*\[\s*["']?{re.escape(code)}["']?\s*[\].]|\s*["']?{re.escape(code)}["']?\s*[=.]""")
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines, 1) if header.match(line)), 0)
    if not start or not key:
        return start
    wanted = re.compile(rf"""(?:^|[\s{{,"']){re.escape(key)}["']?\s*=""")
    for number, line in enumerate(lines[start - 1 :], start):
        if number > start and line.lstrip().startswith("["):
            break
        if wanted.search(line):
            return number
    return start


def _nearest(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""
