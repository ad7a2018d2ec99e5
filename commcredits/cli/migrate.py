"""`migrate`: the schema."""

from commcredits.cli.command import Command, unwired

COMMANDS = (
    Command(
        "migrate",
        "creates or upgrades the schema; idempotent",
        "commcredits migrate --store postgresql://…",
        lambda _: None,
        unwired,
    ),
)
