"""Where simulated traffic goes, and how fast."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commcredits.cli import main
from commcredits.simulate import paced, write
from commcredits.traffic import Message, generate

START = datetime(2026, 11, 16, tzinfo=UTC)


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_rate_is_kept() -> None:
    clock = Clock()
    times = [clock.now for _ in paced([Message("a", False, b"x")] * 51, 10, clock, clock.sleep)]
    assert times[0] == 0
    assert times[-1] == pytest.approx(5)


def test_traffic_is_written_as_ndjson() -> None:
    stream, told = io.BytesIO(), list[int]()
    messages = list(generate(3, 20_000, 1, START))
    assert write(messages, stream, told.append) == 20_000
    assert stream.getvalue().splitlines() == [message.value for message in messages]
    assert told == [10_000, 20_000]


def test_simulate_writes_a_file_and_says_how_to_make_it_again(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    files = [tmp_path / name for name in ("a.ndjson", "b.ndjson")]
    for path in files:
        command = ["simulate", "--accounts", "3", "--usages", "50", "--seed", "7", "--start", "2026-11-01"]
        assert main([*command, "--out", str(path), "--json"]) == 0
        made = json.loads(capfdbinary.readouterr().out)
        assert made == {"accounts": 3, "usages": 50, "seed": 7, "start": "2026-11-01T00:00:00Z"}
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(files[0].read_bytes().splitlines()) == 50


def test_without_a_file_traffic_goes_to_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["simulate", "--usages", "5", "--json"]) == 0
    captured = capfdbinary.readouterr()
    assert [set(json.loads(line)) >= {"usage_id", "call_type"} for line in captured.out.splitlines()] == [True] * 5
    assert b"seed" in captured.err


def test_one_place_is_enough(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["simulate", "--kafka", "--out", str(tmp_path / "x"), "--json"]) == 2
    assert json.loads(capfdbinary.readouterr().out)["error"]["field"] == "out"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["simulate", "--out", str(tmp_path / "no" / "x"), "--json"]) == 2
    assert json.loads(capfdbinary.readouterr().out)["error"]["code"] == "unwritable_file"
