"""A document's commands, run as they stand in a directory that has only the examples, and compared with what it shows.

In what is shown, a line of three dots stands for any lines, three dots within a line for anything there, and <…> for
one word. Widths of columns may differ.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```(console|python)\n(.*?)```", re.DOTALL)
ANY_LINES, ANY_WORDS, A_WORD = "...", re.escape("..."), re.compile(r"<\w+>")


class Step(NamedTuple):
    """A command and the lines that are shown after it."""

    command: str
    shown: list[str]


class Terminal:
    """Runs commands as a person would: in one directory, what is exported stays."""

    def __init__(self, directory: Path, settings: Mapping[str, str]) -> None:
        self._directory = directory
        shutil.copytree(ROOT / "examples", directory / "examples")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ours = {name: value for name, value in os.environ.items() if not name.startswith("COMMCREDITS_")}
        self._environment = {**ours, **settings, "PATH": path, "PYTHONPATH": str(ROOT)}

    def run(self, command: str) -> str:
        """What it prints, on either stream."""
        exported = re.fullmatch(r"export (\w+)=(\S+)", command)
        if exported:
            self._environment[exported[1]] = exported[2]
            return ""
        return self._run(["bash", "-c", command])

    def python(self, source: str) -> str:
        """The same of a script. It must succeed."""
        return self._run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", source], check=True)

    def _run(self, arguments: list[str], check: bool = False) -> str:
        done = subprocess.run(
            arguments,
            cwd=self._directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        printed = done.stdout.decode()
        assert not check or done.returncode == 0, printed
        return printed

    def follow(self, text: str) -> None:
        """Run the commands of a console block. AssertionError where one says something else than is shown."""
        for step in _steps(text):
            said = self.run(step.command)
            as_shown = _pattern(step.shown).fullmatch(_narrow(said)) is not None
            assert as_shown, f"{step.command}\n{said}"


def _steps(text: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield Step(command, shown)


def _narrow(text: str) -> str:
    """One space for many, none at the ends of lines."""
    return "".join(re.sub(r"\s+", " ", line).strip() + "\n" for line in text.splitlines())


def _pattern(shown: list[str]) -> re.Pattern[str]:
    """What the lines that are shown stand for."""
    return re.compile("".join(r"(?:.*\n)*" if line == ANY_LINES else _line_pattern(line) for line in shown))


def _line_pattern(line: str) -> str:
    text = re.escape(_narrow(line).rstrip("\n")).replace(ANY_WORDS, ".*")
    return A_WORD.sub(lambda _: r'[^\s"]+', text) + r"\n"
