"""One command's options and positionals, and errors that name the mistake and the nearest right word in one line.

argparse does the reading and the help; its own error texts differ between Python versions and are never shown.
"""

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from commcredits.cli.errors import WrongUse
from commcredits.values import nearest

Read = Callable[[str], Any]
SETTING: Final = "setting_"  # a flag that is a setting's is kept under this and its name
_REQUIRED = "the following arguments are required: "
_OPTION = re.compile(r"--[^=]+|-[A-Za-z]")


class Parser(argparse.ArgumentParser):
    """The parser of one command, such as `account open`."""

    def __init__(self, words: str, description: str, example: str) -> None:
        super().__init__(
            prog=f"commcredits {words}",
            description=description[:1].upper() + description[1:] + ".",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            exit_on_error=False,
        )

    def positional(self, name: str, meaning: str, read: Read = str, *, shown: str = "", many: bool = False) -> None:
        """A word that stands in its place; `many`: one or more."""
        shown = shown or name.upper()
        self.add_argument(
            name, metavar=shown, help=meaning, type=_reader(shown, name, read), nargs="+" if many else None
        )

    def optional_positional(self, name: str, meaning: str, read: Read = str, *, shown: str = "") -> None:
        """A word that may be left out."""
        shown = shown or name.upper()
        self.add_argument(name, metavar=shown, help=meaning, type=_reader(shown, name, read), nargs="?")

    def option(
        self, flag: str, meaning: str, read: Read = str, *, shown: str = "", required: bool = False, many: bool = False
    ) -> None:
        """`--flag VALUE`; None where it is not given. `many`: one or more values, and the flag may be repeated."""
        name = field_of(flag)
        extra: dict[str, Any] = {"nargs": "+", "action": "extend"} if many else {}
        self.add_argument(
            flag, dest=name, metavar=shown or name.upper(), help=meaning, type=_reader(flag, name, read),
            required=required, **extra,
        )  # fmt: skip

    def switch(self, flag: str, meaning: str) -> None:
        """`--flag`, False where it is not given."""
        self.add_argument(flag, dest=field_of(flag), action="store_true", help=meaning)

    def setting(self, *names: str) -> None:
        """Flags that are settings: they win over the environment and the file, and are read where those are."""
        from commcredits.settings import SETTINGS

        by_name = {setting.name: setting for setting in SETTINGS}
        for name in names:
            flag = "--" + name.replace("_", "-")
            self.add_argument(flag, dest=SETTING + name, metavar="X", help=f"setting: {by_name[name].meaning}")

    def shared(self) -> None:
        """What every command takes."""
        group = self.add_argument_group("every command")
        group.add_argument("--json", action="store_true", help="JSON on stdout and nothing else there")
        group.add_argument("--store", dest=SETTING + "store", metavar="URL", help="sqlite:///PATH or postgresql://…")
        group.add_argument("--config", metavar="FILE", type=Path, help="settings file instead of ./commcredits.toml")
        group.add_argument("--debug", action="store_true", help="print the traceback of an error")

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The arguments by name. Raises WrongUse."""
        self._refuse_unknown_options(arguments)
        try:
            namespace, extras = self.parse_known_intermixed_args(list(arguments))
        except argparse.ArgumentError as error:
            raise self._wrong_use(error.argument_name, error.message) from None
        if extras:
            raise WrongUse("unexpected_argument", f"unexpected {extras[0]!r}; {self.one_line_usage()}")
        return namespace

    def error(self, message: str) -> NoReturn:
        """Called by argparse for what concerns no single argument."""
        raise self._wrong_use(None, message)

    def one_line_usage(self) -> str:
        """`usage: commcredits funds add ID AMOUNT [options]`."""
        shown = [action.metavar for action in self._actions if not action.option_strings]
        needed = [f"{a.option_strings[0]} {a.metavar}" for a in self._actions if a.option_strings and a.required]
        return "usage: " + " ".join([self.prog, *map(str, shown), *needed, "[options]"])

    def flags(self) -> list[str]:
        """Every option's name."""
        return [flag for action in self._actions for flag in action.option_strings]

    def _refuse_unknown_options(self, arguments: Sequence[str]) -> None:
        known = self.flags()
        for argument in arguments:
            if argument == "--":
                return
            option = _OPTION.match(argument)
            if option is not None and option[0] not in known:
                raise unknown_option(option[0], known, [a.dest for a in self._actions if not a.option_strings])

    def _wrong_use(self, argument_name: str | None, message: str) -> WrongUse:
        if message.startswith(_REQUIRED):
            missing = message.removeprefix(_REQUIRED).split(", ")
            field = field_of(missing[0]) if missing[0].startswith("-") else self._field_of_shown(missing[0])
            return WrongUse("missing_argument", f"{' and '.join(missing)} missing; {self.one_line_usage()}", field)
        if argument_name is None:
            return WrongUse("wrong_use", f"{message}; {self.one_line_usage()}")
        if message.startswith("expected"):
            message = "needs a value"
        return WrongUse("invalid_argument", f"{argument_name} {message}", field_of(argument_name))

    def _field_of_shown(self, shown: str) -> str:
        return next((action.dest for action in self._actions if action.metavar == shown), shown.lower())


def field_of(flag: str) -> str:
    """An option's name in JSON: `--from-number` is `from_number`."""
    return flag.lstrip("-").replace("-", "_")


def unknown_option(option: str, flags: Iterable[str], positionals: Sequence[str] = ()) -> WrongUse:
    """The error that names the nearest known option, or the positional that was given as if it were one."""
    words = {flag.lstrip("-"): flag for flag in flags} | {
        name: f"{name.upper()} without a flag" for name in positionals
    }
    text = f"unknown option {option}{nearest(option.lstrip('-'), words)}"
    return WrongUse("unknown_option", text, field_of(option))


def _reader(shown: str, field: str, read: Read) -> Read:
    """argparse hides what a ValueError says, so it is turned into an error of ours that argparse lets through."""

    def checked(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise WrongUse("invalid_argument", f"{shown} {error}", field) from None

    return checked
