"""The command line's program: find the command, read its arguments, run it, turn any error into an exit code."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib import import_module
from typing import Final

from commcredits.cli.command import Command, context_of
from commcredits.cli.errors import DONE, WrongUse, failure_of
from commcredits.cli.output import Output
from commcredits.cli.parser import unknown_option
from commcredits.values import nearest

INTERRUPTED: Final = 130
# first word -> the module under commcredits.cli that has its commands, in the order of the help
NOUNS: Final = {
    "demo": "demo",
    "migrate": "migrate",
    "account": "account",
    "payment-method": "payment_method",
    "funds": "funds",
    "recharge": "recharge",
    "budget": "budget",
    "licence": "licence",
    "deck": "deck",
    "rate": "rate",
    "ingest": "ingest",
    "consume": "consume",
    "project": "project",
    "rebuild": "project",
    "work": "work",
    "balance": "balance",
    "statement": "balance",
    "explain": "explain",
    "usage": "usage",
    "authorize": "authorize",
    "forecast": "forecast",
    "serve": "serve",
    "dead-letters": "dead_letters",
    "retry": "dead_letters",
    "discard": "dead_letters",
    "notice": "notice",
    "webhook": "webhook",
    "reconcile": "reconcile",
    "simulate": "simulate",
    "sandbox": "sandbox",
    "settings": "settings",
    "doctor": "doctor",
}
# what may stand before the command's words too, with the number of values it takes
_SHARED: Final = {"--json": 0, "--debug": 0, "--help": 0, "-h": 0, "--store": 1, "--config": 1}
_HELP: Final = ("-h", "--help")
_OVERVIEW: Final = """usage: commcredits COMMAND [options]
       commcredits --version

Prepaid credit for telephony: usage in, credit down, every charge provable."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; answers its exit code."""
    output = Output("--json" in arguments)
    try:
        return _run(list(arguments), output)
    except BrokenPipeError:
        # whoever read our output has gone; nothing more can be said there, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        output.note("interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the edge: nothing but an exit code leaves here
        if "--debug" in arguments:
            import traceback

            traceback.print_exc()
        failure = failure_of(error)
        output.failure(failure)
        return failure.exit_code


def _run(arguments: list[str], output: Output) -> int:
    noun = _take_word(arguments)
    if noun is None:
        if not any(option in arguments for option in _HELP):
            raise WrongUse("missing_command", "no command given; `commcredits --help` lists them")
        output.raw(overview().encode())
        return DONE
    commands = commands_of(noun)
    command = commands.get(noun)
    if command is None:
        verb = _take_word(arguments)
        if verb is None and any(option in arguments for option in _HELP):
            output.raw(_listing(f"usage: commcredits {noun} COMMAND", commands).encode())
            return DONE
        command = _verb(noun, verb, commands)
    parser = command.parser()
    if any(option in arguments for option in _HELP):
        output.raw(parser.format_help().encode())
        return DONE
    parsed = parser.read(arguments)
    with closing(context_of(parsed, output)) as context:
        return command.run(context, parsed)


def commands_of(noun: str) -> dict[str, Command]:
    """The commands that begin with a word, by their words. Raises WrongUse `unknown_command`."""
    module = NOUNS.get(noun)
    if module is None:
        words = {name: name for name in NOUNS} | {option.lstrip("-"): option for option in ("--help", "--version")}
        raise WrongUse("unknown_command", f"unknown command {noun!r}{nearest(noun, words)}")
    found: tuple[Command, ...] = import_module(f"commcredits.cli.{module}").COMMANDS
    return {command.words: command for command in found if command.words.split()[0] == noun}


def every_command() -> Iterator[Command]:
    """All commands, in the order of the help."""
    for noun in NOUNS:
        yield from commands_of(noun).values()


def overview() -> str:
    """The help of the whole program."""
    listing = _listing(_OVERVIEW, {command.words: command for command in every_command()})
    return f"{listing}\n`commcredits COMMAND --help` says what a command takes, with an example.\n"


def _listing(heading: str, commands: dict[str, Command]) -> str:
    width = max(map(len, commands))
    lines = [f"  {words:<{width}}  {command.meaning}" for words, command in commands.items()]
    return "\n".join([heading, "", "commands:", *lines, ""])


def _verb(noun: str, verb: str | None, commands: dict[str, Command]) -> Command:
    verbs = [words.split()[1] for words in commands]
    if verb is None:
        raise WrongUse("missing_command", f"{noun} needs one of {', '.join(verbs)}; see `commcredits {noun} --help`")
    command = commands.get(f"{noun} {verb}")
    if command is None:
        hint = nearest(verb, verbs) or f"; it is one of {', '.join(verbs)}"
        raise WrongUse("unknown_command", f"unknown command '{noun} {verb}'{hint}")
    return command


def _take_word(arguments: list[str]) -> str | None:
    """Remove and answer the first word that is no option that every command takes, nor the value of one."""
    place = 0
    while place < len(arguments):
        argument = arguments[place]
        if not argument.startswith("-") or argument == "-":
            return arguments.pop(place)
        option = argument.partition("=")[0]
        if option not in _SHARED:
            raise unknown_option(option, [*_SHARED, "--version"])
        place += 1 + (_SHARED[option] if "=" not in argument else 0)
    return None
