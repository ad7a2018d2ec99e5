"""Writes docs/reference/{commands,settings,events,deck-columns}.md from the program itself.

Run it after a change of commands, settings, events or columns: `python tools/make_reference.py`.
A test holds the files to what this writes.
"""

import argparse
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from application.privacy import Personal
from commcredits.cli.command import Command
from commcredits.cli.parser import SETTING, Parser
from commcredits.cli.program import every_command
from commcredits.settings import SETTINGS
from consumers.deck_files.layout import SYNONYMS
from domain import event, events
from domain.account import AccountState
from domain.events import EVENTS, Event
from domain.lots import Lot
from domain.payment_state import Dispute, Method, Payment, Purchase, Refund
from domain.pools import Licence, Purchased
from domain.recharge import Recharge

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "reference"
PARTS: Final = (events.Settings, events.Limits, events.Proof, events.BilledSlot, events.PoolDraw, events.LotDraw)
STATES: Final = (AccountState, Lot, Licence, Purchased, Recharge, Payment, Purchase, Method, Refund, Dispute)
SHARED: Final = {"json", "setting_store", "config", "debug", "help"}

_FIELD: Final = re.compile(r"    (\w+): ([^#=]+?)(?: = (.+?))?(?:  # (.*))?$")
_MADE: Final = "<!-- made by tools/make_reference.py: change the program, not this file -->\n"


def commands() -> str:
    """Every command with what it takes."""
    lines = [
        _MADE,
        "# Commands",
        "",
        "Every command also takes `--json` (JSON on stdout and nothing else there), `--store URL`, `--config FILE`",
        "(settings instead of `./commcredits.toml`), `--debug` (the traceback of an error) and `--help`.",
        "Exit codes and error codes: [errors.md](errors.md). Shapes of the JSON: [formats.md](formats.md).",
        "Times are RFC 3339 with their zone, or a date (00:00 UTC). A date as an end includes its day.",
        "",
    ]
    for command in every_command():
        lines += _command(command)
    return "\n".join(lines)


def _command(command: Command) -> Iterator[str]:
    parser = command.parser()
    yield f"## `{command.words}`"
    yield ""
    yield f"{command.meaning[:1].upper()}{command.meaning[1:]}."
    yield ""
    yield "```"
    yield _usage(parser)
    yield "```"
    yield ""
    own = [action for action in parser._actions if action.dest not in SHARED]
    if own:
        yield from _table(("argument", "meaning"), ((_name(action), _meaning(action)) for action in own))
    yield f"Example: `{command.example}`"
    yield ""


def _usage(parser: Parser) -> str:
    return parser.one_line_usage().removeprefix("usage: ").removesuffix(" [options]")


def _name(action: argparse.Action) -> str:
    shown = str(action.metavar or "")
    more = "…" if action.nargs == "+" else ""
    if not action.option_strings:
        return f"`{shown}{more}`" if action.nargs != "?" else f"`[{shown}]`"
    text = f"`{' '.join(filter(None, (action.option_strings[0], shown)))}{more}`"
    return f"{text} (required)" if action.required else text


def _meaning(action: argparse.Action) -> str:
    text = (action.help or "").replace("%%", "%")
    if action.dest.startswith(SETTING):
        return f"{text} (the setting `{action.dest.removeprefix(SETTING)}`)"
    return text


def settings() -> str:
    """Every setting."""
    flags = _flags()
    lines = [
        _MADE,
        "# Settings",
        "",
        "A flag wins over the environment, which wins over `commcredits.toml` (or `--config FILE`), which wins over",
        "the default. The variable is `COMMCREDITS_` and the name in capitals; the key in the file is the name itself.",
        "Instead of a secret its file may be named: `COMMCREDITS_MASTER_KEY_FILE`, `master_key_file`; not both. An",
        "unknown key in the file is an error that names the nearest one. An unknown variable with the prefix is only",
        "reported by `settings` and `doctor`. `commcredits settings` prints what holds and where it came from.",
        "",
        "What is said of new accounts is only a default: opening an account writes the values into its first event,",
        "and there they stay until `account set` writes others.",
        "",
    ]
    rows = []
    for each in SETTINGS:
        default = each.text(each.default)
        rows.append(
            (
                f"`{each.name}`",
                "none" if default is None else f"`{default}`",
                each.meaning + (" (secret)" if each.secret else ""),
                ", ".join(flags.get(each.name, ())) or "–",
            )
        )
    return "\n".join([*lines, *_table(("setting", "default", "meaning", "flag of"), rows)])


def _flags() -> dict[str, list[str]]:
    """Which commands have a setting as a flag."""
    found: dict[str, list[str]] = {}
    for command in every_command():
        for action in command.parser()._actions:
            if action.dest.startswith(SETTING):
                found.setdefault(action.dest.removeprefix(SETTING), []).append(f"`{command.words}`")
    found["store"] = ["every command"]
    return found


def stored_forms() -> str:
    """The array of each event, and of the account's state."""
    lines = [
        _MADE,
        "# Stored forms",
        "",
        "An event is a row of the `eventsourcing` library's `stored_events`: `originator_id` (its stream),",
        "`originator_version` (1, 2, … in the stream), `topic` (its name below), `state` (a JSON array of its fields,",
        "in this order), `notification_id` (its position in the log, on SQLite the `rowid`; holes may be), and our",
        "`usage_key`: the first 16 bytes of SHA-256 of `account NUL usage id`, only on `UsageDebited`, unique.",
        "",
        "Times are whole microseconds since the epoch (UTC), durations whole seconds, amounts decimals in strings,",
        "bytes base64; a structure inside an event is an array too. Fields are only ever appended. An unknown topic,",
        "an unknown `schema` or more fields than are known is an error, never cut short.",
        "",
        f"Streams: account, deck and log are `uuid5({event._NAMESPACE}, …)` of",
        "`account:ID`, `deck:NAME` and `log:main`.",
        "",
        "## Header of every event",
        "",
        *_array(Event, 0),
        "## Events",
        "",
    ]
    start = len(_fields(Event))
    for topic, kind in EVENTS.items():
        lines += [f"### {topic}", "", inspect.cleandoc(kind.__doc__ or ""), "", *_array(kind, start)]
    lines += ["## Structures inside events", ""]
    for part in PARTS:
        lines += [f"### {part.__name__}", "", inspect.cleandoc(part.__doc__ or ""), "", *_array(part, 0)]
    lines += [
        "## The sealed part of a debit",
        "",
        "What `UsageDebited.sealed` is once decrypted (AES-256-GCM: 12 bytes of nonce, ciphertext, tag; the usage key",
        "is the associated data).",
        "",
        *_array(Personal, 0),
        "## The state of an account",
        "",
        "What a snapshot (`stored_snapshots`, topic `CreditAccountState`) and the read model `balances` hold.",
        "",
    ]
    for state in STATES:
        lines += [f"### {state.__name__}", "", inspect.cleandoc(state.__doc__ or ""), "", *_array(state, 0)]
    return "\n".join(lines)


def _fields(kind: type[Any]) -> list[tuple[str, str, str]]:
    """Name, type and meaning of the fields that a structure itself adds."""
    found = (_FIELD.match(line) for line in inspect.getsource(kind).splitlines())
    return [
        (each[1], each[2].strip('"'), each[4] or "")
        for each in found
        if each is not None and not each[2].startswith("ClassVar")
    ]


def _array(kind: type[Any], start: int) -> list[str]:
    fields = [
        (str(place), f"`{name}`", f"`{type_}`", meaning)
        for place, (name, type_, meaning) in enumerate(_fields(kind), start)
    ]
    return _table(("#", "field", "type", "meaning"), fields) if fields else ["Nothing but the header.", ""]


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [heading, tuple("---" for _ in heading), *rows]
    return [*("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines), ""]


def deck_columns() -> str:
    """By which names a deck's columns are known."""
    lines = [
        _MADE,
        "# Columns of rate decks",
        "",
        "The header may name them in any order and case; a space, `_`, `/`, `(` or any other sign between words is",
        "the same, and a currency's code may stand beside the name (`cost / min (usd)`). Where a table has several",
        "columns of one meaning, the name that stands first here is taken; of names, flags and states all are looked",
        "at. Columns that are not known are ignored, and reported as `ignored_columns`.",
        "",
    ]
    rows = [(meaning, ", ".join(names)) for meaning, names in SYNONYMS.items()]
    return "\n".join([*lines, *_table(("meaning", "names"), rows)])


FILES: Final = {
    "commands.md": commands,
    "settings.md": settings,
    "events.md": stored_forms,
    "deck-columns.md": deck_columns,
}


def main() -> None:
    """Write the files."""
    for name, make in FILES.items():
        (FOLDER / name).write_text(make().rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
