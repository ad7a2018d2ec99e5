"""`settings`: every setting with its value, where it came from, and what it means."""

from argparse import Namespace
from typing import Any

from commcredits.cli.command import Command, Context
from commcredits.cli.consume import KAFKA_SETTINGS
from commcredits.cli.errors import DONE
from commcredits.cli.parser import Parser


def _options(parser: Parser) -> None:
    parser.setting(*KAFKA_SETTINGS)


def _run(context: Context, arguments: Namespace) -> int:
    del arguments
    rows = _known(context)
    context.output.document([*rows, *_unknown(context)])
    return DONE


def _known(context: Context) -> list[dict[str, Any]]:
    from commcredits.settings import SETTINGS

    loaded = context.loaded
    return [
        {
            "name": setting.variable,
            "value": setting.text(getattr(loaded.settings, setting.name)),
            "source": loaded.origins[setting.name],
            "meaning": setting.meaning,
        }
        for setting in SETTINGS
    ]


def _unknown(context: Context) -> list[dict[str, Any]]:
    """Variables with our prefix that mean nothing to us. Their values may be secrets of others."""
    from commcredits.settings import PREFIX, SETTINGS
    from commcredits.values import nearest

    known = {setting.name.upper(): setting.variable for setting in SETTINGS}
    return [
        {
            "name": name,
            "value": None,
            "source": "environment",
            "meaning": f"unknown, ignored{nearest(name.removeprefix(PREFIX), known)}",
        }
        for name in context.loaded.unknown_variables
    ]


COMMANDS = (
    Command(
        "settings",
        "prints every setting, its value, where it came from, and what it means",
        "commcredits settings --json",
        _options,
        _run,
    ),
)
