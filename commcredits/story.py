"""A narrated session: each command is shown as one would type it, run for real in this process, its answer shown."""

import contextlib
import io
import os
import re
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from textwrap import fill, indent
from typing import Any, Final

from commcredits.cli import main
from commcredits.cli.output import Output, layout
from commcredits.settings import PREFIX

WIDTH: Final = 100
_DECIMAL: Final = re.compile(r"-?[0-9]+\.[0-9]+")


class StoryFailed(Exception):
    """A command did not answer as the story needs it to."""


class Story:
    """Commands run in `directory` with only `settings` in the environment."""

    def __init__(self, output: Output, directory: Path, settings: Mapping[str, str]) -> None:
        self.directory, self.settings = directory, dict(settings)
        self._output, self._begun, self._chapter = output, time.monotonic(), 0

    def tell(self, text: str) -> None:
        """A paragraph of the story."""
        self._chapter += 1
        number = f"{self._chapter}. "
        self._print("\n" + fill(number + text, WIDTH, subsequent_indent=" " * len(number)))

    def remark(self, text: str) -> None:
        """A line that belongs to what was just shown."""
        self._print(fill(text, WIDTH, initial_indent="   ", subsequent_indent="   "))

    def run(self, line: str, *, expect: int = 0, shown: bool = True) -> Any:
        """Run a command; answers its document, or a list of its lines."""
        import msgspec

        code, out = self._run([*shlex.split(line), "--json"])
        lines = [msgspec.json.decode(each) for each in out.splitlines()]
        if code != expect:
            raise StoryFailed(f"`commcredits {line}` exits with {code}, not {expect}: {out.decode()}")
        document = lines[0] if len(lines) == 1 else lines
        if shown:
            self._show(line, layout(_with_numbers(document)) + (f"\n(exit {code})" if code else ""))
        return document

    def show(self, line: str) -> None:
        """Run a command for what it shows to people."""
        code, out = self._run(shlex.split(line))
        if code:
            raise StoryFailed(f"`commcredits {line}` exits with {code}")
        self._show(line, out.decode())

    def write(self, name: str, content: bytes) -> str:
        """A file of the story's directory; answers its name."""
        (self.directory / name).write_bytes(content)
        return name

    @property
    def seconds(self) -> float:
        """Since it began."""
        return round(time.monotonic() - self._begun, 1)

    def _show(self, line: str, answer: str) -> None:
        self._print(indent(f"\n$ commcredits {line}\n{answer.rstrip()}", "   "))

    def _print(self, text: str) -> None:
        if self._output.json:
            self._output.note(text)
        else:
            self._output.raw(f"{text}\n".encode())

    def _run(self, arguments: list[str]) -> tuple[int, bytes]:
        out = io.BytesIO()
        stdout = io.TextIOWrapper(out, write_through=True)
        with self._surroundings(), contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(io.StringIO()):
            code = main(arguments)
        return code, out.getvalue()

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[None]:
        """Nothing of the machine's own settings gets in; all is put back."""
        before = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
        for name in before:
            del os.environ[name]
        os.environ.update({PREFIX + name.upper(): value for name, value in self.settings.items()})
        try:
            with contextlib.chdir(self.directory):
                yield
        finally:
            for name in self.settings:
                del os.environ[PREFIX + name.upper()]
            os.environ.update(before)


def _with_numbers(document: Any) -> Any:
    """Decimals are strings in JSON; people see them at the right of a column, as the command itself shows them."""
    if isinstance(document, dict):
        return {name: _with_numbers(item) for name, item in document.items()}
    if isinstance(document, list):
        return [_with_numbers(item) for item in document]
    is_decimal = isinstance(document, str) and _DECIMAL.fullmatch(document)
    return Decimal(document) if is_decimal else document


def example(name: str) -> Path:
    """A file of `examples/`, as it was installed or as it is in a checkout."""
    package = Path(sys.modules["commcredits"].__path__[0])
    installed = package / "examples" / name
    return installed if installed.is_file() else package.parent / "examples" / name
