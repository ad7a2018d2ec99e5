"""The program as its user runs it: a command line in, exit code and outputs out."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from commcredits.cli import main

ROOT = Path(__file__).resolve().parents[2]
MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


class Answer(NamedTuple):
    """What one run said."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        """The failure's shape."""
        shown: dict[str, Any] = self.json["error"]
        return shown


class _Stdin(io.TextIOWrapper):
    """Standard input that holds bytes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))


class Program:
    """Runs commands in this process on one store, in a directory of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path, store: str, **settings: str) -> None:
        self.directory, self.store = directory, store
        self._patch = monkeypatch
        for name in [name for name in os.environ if name.startswith("COMMCREDITS_")]:
            monkeypatch.delenv(name)
        self.set("STORE", store)
        for name, value in settings.items():
            self.set(name, value)
        monkeypatch.chdir(directory)

    def set(self, setting: str, value: str) -> None:
        """A setting of the environment."""
        self._patch.setenv(f"COMMCREDITS_{setting}", value)

    def write(self, name: str, content: str | bytes) -> str:
        """A file in the directory; answers its name."""
        (self.directory / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def run(self, *arguments: str, stdin: bytes = b"", json: bool = True) -> Answer:
        """Any exit code."""
        out, err = io.BytesIO(), io.StringIO()
        stdout = io.TextIOWrapper(out, write_through=True)
        with self._patch.context() as patch:
            patch.setattr(sys, "stdin", _Stdin(stdin))
            patch.setattr(sys, "stdout", stdout)
            patch.setattr(sys, "stderr", err)
            code = main([*arguments, "--json"] if json else list(arguments))
        return Answer(code, out.getvalue(), err.getvalue())

    def process(self, *arguments: str) -> Answer:
        """The same as a process of its own: kafka-python leaves sockets behind, which this process would report."""
        return run_process(*arguments, "--json", environment={}, directory=self.directory)

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Any:
        """The document of a command that succeeds."""
        answer = self.run(*arguments, stdin=stdin)
        assert answer.code == 0, (arguments, answer)
        return answer.json

    def text(self, *arguments: str) -> str:
        """What a person is shown."""
        answer = self.run(*arguments, json=False)
        assert answer.code == 0, (arguments, answer)
        return answer.out.decode()

    def refused(self, code: int, *arguments: str) -> dict[str, Any]:
        """The error of a command that fails with that exit code."""
        answer = self.run(*arguments)
        assert answer.code == code, (arguments, answer)
        assert answer.error["message"] in " ".join(answer.err.split()) or answer.err, answer
        return answer.error


def run_process(*arguments: str, environment: Mapping[str, str], directory: Path) -> Answer:
    """The installed program, as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "commcredits", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=directory,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr.decode())
