"""The program on an embedded store, or on each kind of store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.program import MASTER_KEY, Program

DECK = """prefix,name,rate,connection fee,initial increment,increment
44,UK,0.02,0,60,60
447,UK mobile,0.12,0.05,60,1
386,Slovenia,0.01,0,1,1
1,US,0.015,0,60,60
"""


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Program:
    """On SQLite, which needs nothing."""
    return Program(monkeypatch, tmp_path, "sqlite:///commcredits.db")


@pytest.fixture
def on_each_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store_url: str) -> Program:
    """On SQLite, and on PostgreSQL after `migrate`."""
    program = Program(monkeypatch, tmp_path, store_url, MASTER_KEY=MASTER_KEY)
    program("migrate")
    return program


@pytest.fixture
def contoso(program: Program) -> Program:
    """With an account of 100.0000 EUR, licensed for credits, and a deck."""
    return prepare(program)


def prepare(program: Program) -> Program:
    """Account contoso, 100 EUR, user ana with the credits licence, deck default."""
    program("account", "open", "contoso", "--currency", "EUR", "--country", "SI", "--at", "2026-01-01")
    program("funds", "add", "contoso", "100", "--at", "2026-01-02", "--expires", "2999-01-01", "--reference", "INV-1")
    program("licence", "assign", "contoso", "ana@contoso.com", "MCOPSTNPP")
    program("deck", "import", program.write("deck.csv", DECK), "--name", "default", "--currency", "EUR")
    return program
