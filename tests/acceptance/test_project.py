"""`project` follows the log until it is asked to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.acceptance.conftest import prepare
from tests.support.calls import calls
from tests.support.program import ROOT, Program
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def following(program: Program) -> Iterator[subprocess.Popen[str]]:
    """A `project` that runs meanwhile."""
    command = [sys.executable, "-m", "commcredits", "project", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=program.directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_what_is_taken_in_shows_in_the_read_models_at_once_until_sigterm(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    with following(program) as process:
        wait_until(lambda: program.run("balance", "contoso", "--stale").code == 0)
        program("ingest", program.write("usage", calls(30)))
        wait_until(lambda: program("balance", "contoso", "--stale")["balance"] == "91.0000")
        assert len(program.run("statement", "contoso", "--stale").lines) == 31
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    reached = json.loads(out)
    assert (
        reached["position"] == reached["balance"] == reached["statement"] == program("balance", "contoso")["position"]
    )


def test_once_ends_at_the_end_of_the_log(contoso: Program) -> None:
    contoso("ingest", contoso.write("usage", calls(5)))
    reached = contoso("project", "--once")
    assert reached["position"] == contoso("balance", "contoso", "--stale")["position"]
    assert contoso("balance", "contoso", "--stale")["balance"] == "98.5000"


def test_postgresql_without_a_schema_is_told_at_once(program: Program, postgres: str) -> None:
    program.set("STORE", postgres)
    assert program.refused(4, "project")["code"] == "schema_missing"
