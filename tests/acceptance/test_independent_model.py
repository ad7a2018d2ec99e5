"""Three versions of a deck, plans, lots, 250 calls, some taken back: each charge and what is left as a second program
computes them.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.support.model import Call, Charged, Key, Lot, Model, Row, Version
from tests.support.program import Program

BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HALF_OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)
PREFIXES = ["", "1", "1425", "1787", "44", "447", "4479", "386", "38640", "49", "800", "882"]
ORIGINS = ["", "", "", "386", "49", "491"]
NUMBERS = {
    "14255550100": ("US", True),
    "17875550100": ("US", True),  # Puerto Rico: one domestic area with the US
    "447912345678": ("GB", True),
    "442071234567": ("GB", True),
    "38640111222": ("SI", True),
    "4930123456": ("DE", True),
    "80012345678": ("", False),
    "8821234567": ("", False),
    "9112345": ("IN", True),
    "3912345": ("IT", True),
    "21612345": ("TN", False),
}
CALLERS = ["38640999999", "4915112345678", "49301234", "", "14250000000"]
TYPES = ["user_out", "user_out", "user_out", "conf_out", "user_in", "conf_in", "emergency_out", "ucap_out"]
COLUMNS = "prefix,origin,direction,rate,connection fee,billing,effective from,end date,forbidden"


def text_of(amount: Fraction) -> str:
    return format(Decimal(amount.numerator) / Decimal(amount.denominator), "f")


def time_of(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def some_rows(chance: random.Random) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    for _ in range(25):
        key = chance.choice(PREFIXES), chance.choice(ORIGINS), chance.choice(["out", "out", "out", "in"])
        initial, increment = chance.choice([(60, 60), (60, 1), (30, 6), (1, 1), (6, 6), (45, 7)])
        since = chance.choice([None, None, None, BEGIN + DAY * chance.randint(-5, 50)])
        until = chance.choice([None, None, None, (since or BEGIN) + DAY * chance.randint(1, 40)])
        rate = Fraction(chance.randrange(1_000_000), chance.choice([10**4, 10**6]))
        fee = Fraction(chance.randrange(500), 1000)
        rows.setdefault(key, Row(rate, fee, initial, increment, since, until, chance.random() < 0.07))
    return rows


def line_of(key: Key, row: Row) -> str:
    since = f"{row.since:%Y-%m-%d}" if row.since else ""
    last_day = f"{row.until - DAY:%Y-%m-%d}" if row.until else ""
    rate = [text_of(row.rate), text_of(row.fee), f"{row.initial}/{row.increment}", since, last_day]
    return ",".join([*key, *rate, "yes" if row.withdrawn else ""])


def some_call(number: int, chance: random.Random) -> Call:
    callee = chance.choice(list(NUMBERS))
    return Call(
        f"u{number}",
        chance.choice(TYPES),
        callee,
        chance.choice(CALLERS),
        chance.random() < 0.4,
        BEGIN + timedelta(seconds=chance.randrange(54 * 86_400)),
        chance.choice([0, 1, 59, 60, 61, chance.randrange(4000)]),
        chance.choice(["ana", "ANA", "bob", "eve", ""]),
        chance.choice(["", "", "", "FREECALL", "MCOMEETACPEA"]),
        *NUMBERS[callee],
    )


def message_of(call: Call) -> str:
    fields = {
        "usage_id": call.usage_id,
        "account_id": "contoso",
        "call_type": call.call_type,
        "callee": f"+{call.number}",
        "caller": call.caller,
        "number_type": "Toll Free" if call.toll_free else "subscriber",
        "started_at": time_of(call.at),
        "duration_seconds": call.seconds,
        "user_id": call.user,
        "capability": call.capability,
    }
    return json.dumps(fields)


def import_versions(program: Program, chance: random.Random, rounding: str, decimals: int) -> list[Version]:
    """Three versions; the third amends the second."""
    versions: list[Version] = []
    for start in (None, BEGIN + 20 * DAY, BEGIN + 35 * DAY):
        rows = some_rows(chance)
        file = program.write("deck.csv", "\n".join([COLUMNS, *(line_of(*each) for each in rows.items())]))
        options = ["--name", "default", "--currency", "EUR", "--round", rounding, "--decimals", str(decimals)]
        if start is not None:
            options += ["--from", time_of(start)]
        if len(versions) == 2:
            options.append("--amend")
            rows = versions[-1].rows | rows
        program("deck", "import", file, *options)
        versions.append(Version(start, rows))
    return versions


def add_lots(program: Program, chance: random.Random) -> list[Lot]:
    lots = []
    for _ in range(3):
        bought = BEGIN - timedelta(seconds=chance.randrange(60 * 86_400))
        lot = Lot(bought, BEGIN + DAY * chance.randint(5, 80), Fraction(chance.randint(1, 4000)))
        program(
            "funds", "add", "contoso", str(lot.remaining), "--at", time_of(bought), "--expires", time_of(lot.expires)
        )
        lots.append(lot)
    return lots


@pytest.mark.parametrize("seed", range(4))
def test_every_charge_is_what_a_second_program_computes(program: Program, seed: int) -> None:
    chance = random.Random(seed)
    rounding = ("half-up", "half-even", "up", "down")[seed]
    decimals, scale = chance.choice([(0, 2), (2, 2), (3, 6), (6, 4), (4, 4)])
    when_empty = ("stop", "postpaid")[seed % 2]
    opening = ["--at", "2026-08-01", "--scale", str(scale), "--when-empty", when_empty]
    program("account", "open", "contoso", "--currency", "EUR", *opening)
    program("licence", "assign", "contoso", "ana", "MCOPSTN8", "--country", "US")
    program("licence", "assign", "contoso", "bob", "MCOPSTN5", "--country", "US", "--from", "2026-10-15")
    program("licence", "purchased", "contoso", "MCOMEETADD", "1")
    model = Model(
        import_versions(program, chance, rounding, decimals),
        min(decimals, scale),
        rounding,
        add_lots(program, chance),
        {"MCOPSTN8": (120, "ana", None), "MCOPSTN5": (120, "bob", HALF_OCTOBER)},
        {"MCOMEETADD": 60},
        when_empty == "postpaid",
    )
    calls = [some_call(number, chance) for number in range(250)]
    program.run("ingest", program.write("usage.ndjson", "\n".join(map(message_of, calls))))

    lines = {line["usage_id"]: line for line in program.run("statement", "contoso").lines}
    debited: list[tuple[Call, Charged]] = []
    for call in calls:
        charged, line = model.take(call), lines.get(call.usage_id)
        if charged is None or line is None:
            assert charged is line, call
            continue
        assert Charged(-Fraction(line["amount"]), *_beside(line["proof"])) == charged, (call, line)
        debited.append((call, charged))
    balance = program("balance", "contoso")
    assert (Fraction(balance["balance"]), Fraction(balance["postpaid"])) == (model.balance, model.later)
    left = sorted(lot.remaining for lot in model.lots if lot.remaining)
    assert sorted(Fraction(lot["remaining"]) for lot in balance["lots"]) == left

    for call, charged in chance.sample(debited, 20):
        model.take_back(call, charged)
        done = program("usage", "reverse", call.usage_id, "--reason", "never made")
        assert Charged(Fraction(done["amount"]), *_beside(done["proof"])) == charged, (call, done)
        assert Fraction(done["balance"]) == model.balance
        assert program("explain", call.usage_id)["matches"]
    balance = program("balance", "contoso")
    assert (Fraction(balance["balance"]), Fraction(balance["postpaid"])) == (model.balance, model.later)
    used = {(pool["plan"], pool["month"]): pool["used"] for pool in balance["pools"] if pool["used"]}
    assert used == {pool: minutes for pool, minutes in model.used.items() if minutes}


def _beside(proof: dict[str, Any]) -> tuple[Fraction, dict[str, int]]:
    """What is billed later, and the pools' minutes."""
    return Fraction(proof["postpaid"] or 0), {draw["plan"]: draw["minutes"] for draw in proof["pools"]}
