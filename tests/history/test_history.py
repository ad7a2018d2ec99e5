"""Databases that earlier programs left behind are read by this one, and mean what they meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.store.schema import SCHEMA_VERSION
from adapters.store.store import migrate, open_store
from commcredits.bootstrap import create_read_models
from domain.events import EVENTS, decode_state, encode_state
from projections.rebuild import KINDS
from tests.history.restore import VERSIONS, restore
from tests.support.program import MASTER_KEY, Program


@pytest.fixture(params=VERSIONS, ids=lambda path: path.name)
def version(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def stored(version: Path, store_url: str) -> str:
    """A store as the program of that version left it, with this program's schema."""
    restore(version, store_url)
    migrate(store_url, [create_read_models])
    return store_url


def said(version: Path, store_url: str) -> dict[str, Any]:
    kind = store_url.split(":")[0].removesuffix("ql")
    answers: dict[str, Any] = json.loads((version / f"{kind}.json").read_text())
    return answers


def test_every_event_of_then_is_read_and_written_as_it_was(stored: str) -> None:
    store = open_store(stored)
    log = store.select_log(0, 1_000)
    store.close()

    assert {row[3] for row in log} <= EVENTS.keys()
    for _, _, _, topic, state in log:
        event = decode_state(topic, state)
        if event.schema == type(event).VERSION:
            assert encode_state(event) == state


def test_the_newest_history_has_every_event_that_there_is() -> None:
    newest = VERSIONS[-1]

    assert newest.name == f"version-{SCHEMA_VERSION}", "make one: python -m tests.history.make"
    for kind in ("sqlite", "postgres"):
        assert [topic for topic in EVENTS if f"'{topic}'" not in (newest / f"{kind}.sql").read_text()] == []


def test_the_program_says_of_it_what_it_said_then(
    stored: str, version: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = Program(monkeypatch, tmp_path, stored, MASTER_KEY=MASTER_KEY)
    then = said(version, stored)

    for balance in then["balances"]:
        assert holds(balance, program("balance", balance["account"]))
    for account, lines in then["statements"].items():
        assert holds(lines, program.run("statement", account).lines)
    for proof in then["proofs"]:
        assert holds(proof, program("explain", proof["usage_id"], "--account", proof["account"]))
    assert holds(then["letters"], program.run("dead-letters", "list").lines)
    assert holds(then["rates"], program.run("deck", "show", "default", "--format", "ndjson").lines)
    for recharge in then.get("recharges", ()):
        assert holds(recharge, program("recharge", "show", recharge["account"]))
    for name, command in {"methods": "payment-method", "budgets": "budget", "notices": "notice"}.items():
        for account, answers in then.get(name, {}).items():
            assert holds(answers, program(command, "list", account))


def holds(then: Any, now: Any) -> bool:
    """Whether what was said is still said; fields may have been added since."""
    if isinstance(then, dict):
        return all(name in now and holds(value, now[name]) for name, value in then.items())
    if isinstance(then, list):
        return len(then) == len(now) and all(map(holds, then, now))
    return bool(then == now)


@pytest.mark.parametrize("model", KINDS)
def test_its_read_models_are_made_again_to_the_same(
    stored: str, model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = Program(monkeypatch, tmp_path, stored, MASTER_KEY=MASTER_KEY)

    rebuilt = program("rebuild", model)

    assert rebuilt["sha256"] == program("rebuild", model)["sha256"]
    assert rebuilt["rows"] > 0
