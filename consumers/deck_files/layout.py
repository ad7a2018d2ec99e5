"""Which column of a table means what, by the names that carriers and billing systems give them."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from domain.errors import Invalid
from domain.money import CURRENCIES

# Per meaning the names seen, the most telling first: where a table has several, the first one here is taken.
SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "prefix": (
        *("complete code", "full code", "prefix", "prefixes", "destination prefixes", "destination prefix"),
        *("dest prefix", "match prefix", "dialprefix", "dial prefix", "numberprefix", "number prefix"),
        *("dial code", "dial codes", "dialcode", "dialcodes", "dialing code", "dialing codes", "dialling code"),
        *("dialling codes", "code", "codes", "destination code", "destination codes", "pattern"),
        *("npanxx", "npa nxx", "npa-nxx"),
    ),
    "country code": ("country code", "country codes", "countrycode", "cc"),
    "area code": ("area code", "area codes", "areacode", "city code", "city codes", "citycode"),
    "origin": (
        *("origination prefixes", "origination prefix", "origin prefixes", "origin prefix", "origin", "origins"),
        *("origination", "src prefix", "source prefix", "caller id numbers", "caller prefix", "caller prefixes"),
    ),
    "name": (
        *("destination", "destination name", "name", "description", "target pattern name", "rate name"),
        *("route", "route name", "country", "country name"),
    ),
    "rate": (
        *("new rate", "new price", "rate", "rate per minute", "rate min", "rate minute", "price min", "price minute"),
        *("price per minute", "price per min", "rate per min", "cost min", "cost minute", "cost per minute"),
        *("cost per min", "per minute charge", "per minute rate", "per minute", "rate cost", "rateinitial"),
        *("rate initial", "voice rate", "price", "cost"),
    ),
    "first rate": ("price 1", "price1", "initial rate", "first price", "first rate", "rate 1", "initial price"),
    "next rate": ("price n", "pricen", "next rate", "next price", "rate n", "subsequent rate", "recurring rate"),
    "connection fee": (
        *("connection fee", "connect fee", "connectfee", "connection cost", "connection charge", "connectcharge"),
        *("connect charge", "connection price", "setup fee", "setup charge", "surcharge", "rate surcharge"),
    ),
    "initial increment": (
        *("initial increment", "initial interval", "interval 1", "interval1", "initblock", "initial block"),
        *("first increment", "first interval", "rate minimum", "minimum", "min"),
    ),
    "increment": (
        *("increment", "increments", "billing increment", "billing increments", "billing", "pulse"),
        *("recurring increment", "subsequent increment", "next increment", "next interval", "interval n", "intervaln"),
        *("billingblock", "billing block", "rate increment", "charge period", "int"),
    ),
    "effective from": (
        *("effective from", "effective date", "effective date from", "effective at", "effective", "valid from"),
        *("startdate", "start date", "begin date", "date from"),
    ),
    "effective to": (
        *("effective to", "effective until", "end date", "enddate", "valid to", "valid till", "valid until"),
        *("stopdate", "stop date", "expiry date", "expiration date", "date to"),
    ),
    "direction": ("direction",),
    "currency": ("currency", "currency code"),
    "withdrawn": ("withdrawn", "forbidden", "discontinued", "reject calls", "blocked", "closed"),
    "status": ("status", "change", "rate change", "price change", "change type", "change indicator"),
}
# Of these every column that is there counts: the first that has a value names it, one that says yes withdraws it.
TOGETHER: Final = frozenset({"name", "withdrawn", "status"})
MEANINGS: Final = {name: meaning for meaning, names in SYNONYMS.items() for name in names}
_NPANXX: Final = frozenset({"npanxx", "npa nxx"})
_PLURAL: Final = re.compile(r"\(s\)", re.IGNORECASE)
_CURRENCY_LABEL: Final = re.compile(r"(?i:currency)[^A-Za-z]*(?:is\s+)?([A-Z]{3})\b")
_CURRENCY_SAID: Final = re.compile(
    r"(?:\b(?i:in|or|and)\s+|\(\s*)([A-Z]{3})\b|\b([A-Z]{3})(?=\s*(?:(?i:per)\s|/)\s*(?i:min))"
)
_WORDS_TOO: Final = frozenset("ALL COP CUP MAD PEN SOS TOP TRY".split())  # currencies that are words, too
_WORDS: Final = re.compile(r"[^a-z0-9]+")


class Layout(NamedTuple):
    """Where each meaning stands. `titles` are the columns' own names, `ignored` those that say nothing to us."""

    columns: dict[str, tuple[int, ...]]
    titles: tuple[str, ...]
    ignored: list[str]
    currency: str
    npanxx: bool  # the prefixes are North American codes
    ambiguous: str  # two columns of one name that mean the same; "" = none

    def title(self, index: int) -> str:
        """A column's own name."""
        return self.titles[index] if index < len(self.titles) else ""

    def missing(self) -> list[str]:
        """What a deck cannot do without and is not there."""
        prefix = self.columns.keys() & {"prefix", "country code", "area code"}
        rate = self.columns.keys() & {"rate", "first rate", "next rate"}
        return [name for name, there in (("prefix", prefix), ("rate", rate)) if not there]


def read_header(cells: Sequence[str]) -> Layout:
    """The layout that a header names."""
    found: dict[str, list[tuple[int, int]]] = {}
    currency = ""
    npanxx = False
    for index, cell in enumerate(cells):
        name, named = _known_name(cell)
        if name is not None:
            meaning = MEANINGS[name]
            found.setdefault(meaning, []).append((SYNONYMS[meaning].index(name), index))
            currency = currency or named
    columns = {meaning: _choose(meaning, ranked) for meaning, ranked in found.items()}
    ambiguous = next((text for meaning, ranked in found.items() if (text := _alike(meaning, ranked, cells))), "")
    if "prefix" in columns:
        npanxx = _known_name(cells[columns["prefix"][0]])[0] in _NPANXX
    _drop_second_best(columns)
    used = {index for indexes in columns.values() for index in indexes}
    ignored = [cell.strip() for index, cell in enumerate(cells) if cell.strip() and index not in used]
    return Layout(columns, tuple(cell.strip() for cell in cells), ignored, currency, npanxx, ambiguous)


def read_columns(names: str) -> Layout:
    """The layout of a table without a header, from `prefix,name,,rate`. Raises Invalid for a name that is unknown."""
    cells = [cell.strip() for cell in names.split(",")]
    for cell in cells:
        if cell and _known_name(cell)[0] is None:
            near = get_close_matches(cell.lower(), MEANINGS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise Invalid("invalid_columns", f"{cell!r} is no column of a deck{hint}", "columns")
    layout = read_header(cells)
    if layout.ambiguous:
        raise Invalid("invalid_columns", f"--columns names the same twice: {layout.ambiguous}", "columns")
    if missing := layout.missing():
        raise Invalid("invalid_columns", f"--columns names no {' and no '.join(missing)}", "columns")
    return layout


def _known_name(cell: str) -> tuple[str | None, str]:
    """The synonym that a header cell is, and the currency it names beside it ("" = none)."""
    words = [word for word in _WORDS.split(_PLURAL.sub("s", cell).lower()) if word]
    name = " ".join(words)
    if name in MEANINGS:
        return name, ""
    for word in words:
        code = word.upper()
        name = " ".join(other for other in words if other != word)
        if code in CURRENCIES and name in MEANINGS:
            return name, code
    return None, ""


def _choose(meaning: str, ranked: list[tuple[int, int]]) -> tuple[int, ...]:
    indexes = tuple(index for _, index in sorted(ranked))
    return indexes if meaning in TOGETHER else indexes[:1]


def _alike(meaning: str, ranked: list[tuple[int, int]], cells: Sequence[str]) -> str:
    first, *others = sorted(ranked)
    if meaning in TOGETHER or not others or others[0][0] != first[0]:
        return ""
    one, other = cells[first[1]].strip(), cells[others[0][1]].strip()
    return f"the columns {one!r} and {other!r} both could be the {meaning}: name the columns with --columns"


def _drop_second_best(columns: dict[str, tuple[int, ...]]) -> None:
    if "prefix" in columns:
        columns.pop("country code", None)
        columns.pop("area code", None)
    if columns.keys() >= {"first rate", "next rate"}:
        columns.pop("rate", None)
    elif "rate" in columns:
        columns.pop("first rate", None)
        columns.pop("next rate", None)


def currency_named(lines: Iterable[str]) -> str:
    """The one currency that the text around a table names as that of its prices; "" where none or several are."""
    named = {code for line in lines for match in _CURRENCY_LABEL.finditer(line) if (code := match[1]) in CURRENCIES}
    said = {code for line in lines for match in _CURRENCY_SAID.finditer(line) if (code := match[1] or match[2])}
    codes = named or (said & CURRENCIES) - _WORDS_TOO
    return codes.pop() if len(codes) == 1 else ""
