"""What a command is, and what it is handed when it runs."""

import os
from argparse import Namespace
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from commcredits.cli.output import Output
from commcredits.cli.parser import SETTING, Parser

if TYPE_CHECKING:
    from commcredits.bootstrap import Engine
    from commcredits.setting_sources import Loaded
    from commcredits.settings import Settings


class Context:
    """One run of one command: its output, its settings (read at first use), its engine (made at first use)."""

    def __init__(self, output: Output, flags: Mapping[str, str], config: Path | None = None) -> None:
        self.output, self._flags, self._config = output, flags, config

    @cached_property
    def loaded(self) -> "Loaded":
        """The settings with where each came from. Raises Invalid."""
        from commcredits.setting_sources import load_settings

        return load_settings(self._flags, os.environ, self._config)

    @property
    def settings(self) -> "Settings":
        """The settings in force. Raises Invalid."""
        return self.loaded.settings

    @cached_property
    def engine(self) -> "Engine":
        """The parts of the program. Raises Invalid."""
        from commcredits.bootstrap import Engine

        return Engine(self.settings)

    def close(self) -> None:
        """Let go of what was opened."""
        if "engine" in self.__dict__:
            self.engine.close()


Run = Callable[[Context, Namespace], int]


class Command(NamedTuple):
    """`words`: what is typed, one or two words. `run` answers the exit code and imports what it needs only then."""

    words: str
    meaning: str
    example: str
    options: Callable[[Parser], None]
    run: Run

    def parser(self) -> Parser:
        """Its parser, with what every command takes."""
        parser = Parser(self.words, self.meaning, self.example)
        self.options(parser)
        parser.shared()
        return parser


def context_of(arguments: Namespace, output: Output) -> Context:
    """The context of parsed arguments: flags that are settings win over the environment."""
    given = {name: text for name, text in vars(arguments).items() if name.startswith(SETTING) and text is not None}
    return Context(output, {name.removeprefix(SETTING): text for name, text in given.items()}, arguments.config)
