"""Every shape of a rate deck, and what must hold for any file: a row is a rate that can be billed, or bad and why."""

from __future__ import annotations

import io
from decimal import Decimal
from functools import partial

from consumers.deck_files import DeckOptions, open_deck
from domain.deck_assembly import Assembly, BadRow
from domain.errors import Invalid, Refused
from domain.rate_lines import decode_rates, encode_rate, encode_rates
from domain.rates import MAX_PREFIX_DIGITS, MAX_SECONDS, Rate
from domain.rating import price
from tests.fuzz.mutations import Target

CODES = {
    "ambiguous_date",
    "deck_column_missing",
    "deck_columns_ambiguous",
    "deck_empty",
    "deck_too_large",
    "deck_unreadable",
    "too_large",
}
LIMIT = Decimal(10) ** 12
NATIONAL = DeckOptions(unit=Decimal("0.0001"), country_code="1")
HEADLESS = DeckOptions(columns="prefix,name,,connection_fee,billing,origin,rate", date_format="dd/mm/yyyy")


def check_rate(rate: Rate) -> None:
    for prefix in (rate.prefix, rate.origin or ""):
        assert len(prefix) <= MAX_PREFIX_DIGITS
        assert prefix.isascii()
        assert not prefix or prefix.isdecimal()
    assert rate.origin != ""
    assert rate.name.isprintable()
    terms = rate.terms
    assert terms.slots or terms.blocked
    for amount in (terms.connection_fee, *(slot.rate_per_minute for slot in terms.slots)):
        assert 0 <= amount < LIMIT
    assert all(1 <= slot.increment_seconds <= MAX_SECONDS for slot in terms.slots)
    charged = price(terms, 4, "half-up", 61)
    assert charged.amount >= 0
    assert charged.billed_seconds >= 61 * bool(terms.slots)
    assert rate.effective_to is None or (rate.effective_from or 0) < rate.effective_to


def check_deck(options: DeckOptions, data: bytes) -> None:
    """What is taken is one version, and the same when it is written out and read again."""
    assembly = Assembly(None)
    try:
        source = open_deck(io.BytesIO(data), options)
        for row in source:
            if isinstance(row, BadRow):
                assert row.line > 0
                assert row.reason
                assembly.report(row)
            else:
                check_rate(row[1])
                assembly.add(*row)
        assert len(source.currency) in (0, 3)
    except (Refused, Invalid) as error:
        if error.code not in CODES:
            raise
        return
    lines = list(encode_rates(assembly.finish()))
    assert [encode_rate(rate) + b"\n" for rate in decode_rates(lines)] == lines


FLAT = b"""\
prefix,origin,direction,name,rate,connection fee,initial increment,increment,effective from,effective to,withdrawn
44,,out,"UK, all",0.02,0,60,60,2026-01-01,2026-12-31,
44,386,in,,0.3,0.05,30,6,,,yes
,,,,1,,,,,,
"""
NOTICE = """\
\ufeffAcme Ltd
Currency:,USD

Country;Dial Codes;Price 1;Price N;Billing;Effective;Change
Germany;49152, 49162, 49172-49174;0,0495 €;0,04;60/1;23/09/2026;New
France;336 07, 336 08;0,052;N/A;1/1;10/09/2026;Closed

Total;;
"""
PATTERNS = b"""\
pattern\tcaller_id_numbers\trateinitial\tmin\tint\tstartdate\treject_calls
^44.*\t386,385\t0.10\t60\t1\tASAP\t0
^.*\t\t1e-05\t0\t1\t0001-01-01\t1
"""
SPLIT = b"""\
Country Code|Area Code|Rate/Min (EUR)
44|"7, 20-22"|0.1
+1||$0.2
0044|8|0.3
"""
NPANXX = b"""\
npanxx,name,intra,rate,interval_1,interval_n
201200,NJ,9,125,6,6
201-201,,9,0,30,6
1201203,,9,12,1,1
"""
BARE = b"""\
447;UK;x;0,05;60/1;;0,12
386;;;;;49;0,01
447;UK;x;0,05;60/1;;0,13
"""
LINE = b"""\
{"prefix":"4479","origin":"386","direction":"out","blocked":null,"name":"UK","connection_fee":"0.05",\
"effective_from":"2026-01-01T00:00:00Z","effective_to":"2026-12-31","slots":[\
{"from_second":0,"rate_per_minute":"0.12","increment_seconds":60},\
{"from_second":60,"rate_per_minute":0.09,"increment_seconds":1}]}
"""
BLOCKED = b"""\
{"prefix":"44","blocked":"withdrawn","slots":[]}
{"prefix":"","blocked":"ambiguous"}
"""
TABLES = [FLAT, NOTICE.replace("\n", "\r\n").encode(), PATTERNS, SPLIT, "prefix,rate\n44,0.1\n".encode("utf-16")]
DECK_TARGETS = [
    Target("deck table", TABLES, partial(check_deck, DeckOptions()), 10),
    Target("deck npanxx", [NPANXX], partial(check_deck, NATIONAL), 3),
    Target("deck headless", [BARE], partial(check_deck, HEADLESS), 3),
    Target("deck ndjson", [LINE, LINE + BLOCKED], partial(check_deck, DeckOptions()), 6),
]
