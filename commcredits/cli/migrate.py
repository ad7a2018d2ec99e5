"""`migrate`: the schema."""

from argparse import Namespace

from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE


def _migrate(context: Context, arguments: Namespace) -> int:
    del arguments
    from adapters.store.schema import SCHEMA_VERSION
    from adapters.store.store import migrate
    from commcredits.bootstrap import create_read_models

    migrate(context.settings.store, [create_read_models])
    context.output.document({"schema_version": SCHEMA_VERSION}, f"the schema is at version {SCHEMA_VERSION}")
    return DONE


COMMANDS = (
    Command(
        "migrate",
        "creates or upgrades the schema; idempotent",
        "commcredits migrate --store postgresql://…",
        lambda _: None,
        _migrate,
    ),
)
