"""The trial in docs/how-to/take-payments.md does what it shows; `sandbox stripe` as its user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from commcredits.sandbox.process import free_ports
from commcredits.sandbox.stripe.server import StripeSandbox
from tests.support.program import Program
from tests.support.terminal import BLOCK, ROOT, Terminal


def test_the_trial_without_stripe_does_what_it_shows(tmp_path: Path, stripe_sandbox: StripeSandbox) -> None:
    text = (ROOT / "docs/how-to/take-payments.md").read_text(encoding="utf-8")
    text = text.replace("http://127.0.0.1:12111", stripe_sandbox.url)
    terminal = Terminal(tmp_path, {})
    for _, block in BLOCK.findall(text):
        terminal.follow(block)

    assert [line["amount"] for line in stripe_sandbox.control.ledger()] == [10000, 5000]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_runs_until_it_is_stopped(tmp_path: Path, end: signal.Signals) -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "commcredits", "sandbox", "stripe", "--port", str(port), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["url"] == f"http://127.0.0.1:{port}"
        assert said["webhook_secret"].startswith("whsec_")
        with urlopen(said["url"] + "/_control/ledger") as answer:
            assert json.load(answer) == {"result": []}
        process.send_signal(end)
        _, notes = process.communicate(timeout=30)
        assert process.returncode == 0
        assert b"not Stripe" in notes
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_is_named(program: Program, stripe_sandbox: StripeSandbox) -> None:
    port = stripe_sandbox.url.rpartition(":")[2]
    said = program.refused(2, "sandbox", "stripe", "--port", port)
    assert (said["code"], said["field"]) == ("port_in_use", "port")
