"""`demo`: the whole story tells itself, and holds."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.support.program import Program, run_process


def test_the_story_holds_on_the_embedded_store_and_leaves_nothing_behind(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    before = dict(os.environ)
    answer = program.run("demo")
    assert answer.code == 0, answer
    assert answer.json["matches"] is True
    assert answer.json["balance"] == "53.4929"
    assert answer.json["seconds"] < 60
    assert "$ commcredits explain 9f0c6a52-0002" in answer.err
    assert list((tmp_path / "temporary").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["temporary"]
    assert dict(os.environ) == before


def test_people_read_it_on_standard_output(program: Program) -> None:
    told = program.text("demo")
    assert told.index("$ commcredits account open contoso") < told.index("state         triggered")
    assert told.index("state         retrying") < told.index("$ commcredits work --once\n")
    assert told.index("recharge.failed") < told.index("$ commcredits explain")
    assert "            120             0.09                 60             120\n" in told  # as README's `explain`
    assert "SANDBOX STANDS IN FOR STRIPE" in " ".join(told.split())


def test_the_story_holds_through_kafka_and_postgresql_with_a_consumer_killed(
    program: Program, kafka: str, postgres_server: str
) -> None:
    named = {"COMMCREDITS_KAFKA_BOOTSTRAP": kafka, "COMMCREDITS_STORE": postgres_server}
    answer = run_process("demo", "--kafka", "--json", environment=named, directory=program.directory)
    assert answer.code == 0, answer
    assert answer.json["matches"] is True
    assert answer.json["usages"] == 30_010
    assert answer.json["balance"] == "53.9703"
    assert "20 of 20 balances are the same" in answer.err
