"""The JSON that commands write has the fields that docs/reference/formats.md names, in that order."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.program import ROOT, Program

FIELD = re.compile(r'"(\w+)"')


@pytest.fixture
def documented() -> Mapping[str, list[str]]:
    """The names of fields, by what they are of."""
    text = (ROOT / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    return dict(_rows(text.partition("## JSON out")[2]))


def _rows(table: str) -> Iterator[tuple[str, list[str]]]:
    for line in table.splitlines():
        if line.startswith("| ") and "{" in line:
            names, shape = line.removeprefix("| ").split(" | ", 1)
            fields = FIELD.findall(shape.partition("}")[0].removeprefix('`{"error":'))
            for name in names.removesuffix(", lines").removesuffix(", one array").split(", "):
                yield name.strip("`"), fields


@pytest.fixture
def examples(program: Program) -> Program:
    """The README's account, deck, licences and money."""
    shutil.copytree(ROOT / "examples", program.directory / "examples")
    program("deck", "import", "examples/rates.csv", "--name", "default", "--currency", "EUR")
    program("account", "open", "contoso", "--currency", "EUR", "--country", "SI", "--at", "2026-11-01")
    program("licence", "import", "contoso", "examples/licences.csv")
    program("funds", "add", "contoso", "100")
    return program


def test_json_has_the_documented_fields_in_their_order(examples: Program, documented: Mapping[str, list[str]]) -> None:
    seen = {**_of_usage(examples), **_of_reading(examples), **_of_the_rest(examples)}
    shapes = {name: list(shape) for name, shape in seen.items()}
    assert shapes == {name: documented[name] for name in shapes}


def _of_usage(program: Program) -> dict[str, Any]:
    tally = program.run("ingest", "examples/usage.ndjson").json
    letter = program.run("dead-letters", "list").lines[0]
    return {
        "ingest": tally,
        "retry": program.run("retry", "--all").json,
        "dead-letters list": letter,
        "failure": program.run("balance", "fabrikam").json["error"],
    }


def _of_reading(program: Program) -> dict[str, Any]:
    balance = program("balance", "contoso")
    entry = program.run("statement", "contoso").lines[2]
    explained = program("explain", entry["usage_id"])
    proof = entry["proof"]
    assert list(explained["checks"][0]) == ["name", "passed", "detail"]
    return {
        "balance": balance,
        "a lot": balance["lots"][0],
        "a pool": balance["pools"][0],
        "statement": entry,
        "a proof": proof,
        "a slot": proof["slots"][0],
        "a pool's or lot's part": proof["pools"][0],
        "explain": explained,
    }


def _of_the_rest(program: Program) -> dict[str, Any]:
    return {
        "rate": program("rate", "+442079460018", "60"),
        "funds add": program("funds", "add", "contoso", "5"),
        "recharge set": program("recharge", "set", "contoso", "--amount", "50", "--below", "5"),
        "recharge off": program("recharge", "off", "contoso"),
        "deck import": program("deck", "import", "examples/rates.csv", "--name", "other", "--currency", "EUR"),
        "deck list": program("deck", "list")[0],
        "licence import": program("licence", "import", "contoso", "examples/licences.csv"),
        "project": program("project", "--once"),
        "rebuild": program("rebuild", "balance"),
        "doctor": program.run("doctor").json[0],
        "settings": program("settings")[0],
        "account show": program("account", "show", "contoso"),
        "account set": program("account", "set", "contoso", "--name", "Contoso"),
        "account close": program("account", "close", "contoso"),
    }
