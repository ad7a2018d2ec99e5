"""How long a process takes from its start to its end: nothing heavy is imported that a command does not need."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from commcredits import __version__
from tests.support.program import ROOT, Answer, Program, run_process

ENVIRONMENT = {"COMMCREDITS_STORE": "sqlite:///commcredits.db"}


def _best_seconds(run: Callable[[], Answer]) -> float:
    """Of some tries, as other tests and programs share the machine."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        assert run().code == 0
        times.append(time.perf_counter() - begun)
    return min(times)


def test_the_version_is_answered_at_once(program: Program) -> None:
    def run() -> Answer:
        return run_process("--version", environment=ENVIRONMENT, directory=program.directory)

    assert run().out.decode() == f"commcredits {__version__}\n"
    assert _best_seconds(run) < 0.2


def test_a_balance_is_answered_within_half_a_second(contoso: Program) -> None:
    contoso("balance", "contoso")

    def run() -> Answer:
        return run_process("balance", "contoso", "--json", environment=ENVIRONMENT, directory=contoso.directory)

    assert run().json["balance"] == "100.0000"
    assert _best_seconds(run) < 0.5


@pytest.mark.parametrize(
    ("line", "unneeded"),
    [
        ("--version", ["argparse", "msgspec", "commcredits.settings"]),
        ("balance contoso", ["psycopg", "kafka", "cryptography", "consumers", "multiprocessing"]),
        ("statement contoso", ["psycopg", "kafka", "cryptography", "consumers"]),
        ("settings", ["eventsourcing", "msgspec", "psycopg", "kafka"]),
    ],
)
def test_a_light_command_loads_nothing_heavy(contoso: Program, line: str, unneeded: list[str]) -> None:
    script = (
        "import sys; from commcredits.cli import main; code = main(sys.argv[1:]);"
        "print(' '.join(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *line.split()],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=contoso.directory,
        capture_output=True,
        timeout=60,
        check=True,
    )
    loaded = set(done.stderr.decode().split())
    assert "commcredits.cli" in loaded
    assert [name for name in unneeded if name in loaded] == []
