"""`project` and `rebuild`: the read models."""

from argparse import Namespace

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.parser import Parser

READ_MODELS = ("balance", "statement")  # what `project` follows
REBUILT = (*READ_MODELS, "duties", "notices", "hours")  # `work` follows its own


def _project_options(parser: Parser) -> None:
    parser.switch("--once", "stop at the end that the log had at the start")


def _rebuild_options(parser: Parser) -> None:
    parser.positional("name", f"the read model: {', '.join(REBUILT)}", values.choice(*REBUILT))


def _project(context: Context, arguments: Namespace) -> int:
    from commcredits.project import project, project_once
    from commcredits.stopping import StopSignal
    from domain.events import LOG

    engine = context.engine
    if arguments.once:
        project_once(engine)
    else:
        with StopSignal() as stop:
            project(engine, stop)
    positions = {name: engine.store.tracked(name) for name in READ_MODELS}
    context.output.document({"log": LOG, "position": min(positions.values()), **positions})
    return DONE


def _rebuild(context: Context, arguments: Namespace) -> int:
    from projections.rebuild import rebuild

    built = rebuild(context.engine.store, arguments.name)
    shown = ("name", "position", "events", "rows", "sha256", "seconds")
    context.output.document({name: getattr(built, name) for name in shown})
    return DONE


COMMANDS = (
    Command("project", "keeps the read models up to date", "commcredits project --once", _project_options, _project),
    Command(
        "rebuild",
        "drops a read model and makes it again from the log",
        "commcredits rebuild balance",
        _rebuild_options,
        _rebuild,
    ),
)
