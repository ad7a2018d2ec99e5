"""`ingest`: takes usage in from files and stdin, in batches; memory does not grow with the file."""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import Failure, failure_of
from commcredits.cli.files import open_file
from commcredits.cli.output import Output
from commcredits.cli.parser import Parser
from commcredits.cli.tally import exit_code_of, tally_view

if TYPE_CHECKING:
    from application.ingest import Tally
    from application.letters import Incoming

FORMATS = ("auto", "pstn-csv", "graph", "ndjson", "cloudevents")
STDIN = "-"


class Input(NamedTuple):
    """One file or stdin. `kind` and `name` are what its usage gives as its source."""

    kind: str
    name: str
    stream: BinaryIO
    size: int  # bytes; 0 where it is not known


def _options(parser: Parser) -> None:
    parser.positional("files", "files of usage; - is stdin", shown="FILE", many=True)
    parser.option("--account", "of rows that name none; needed for pstn-csv and graph", values.account_id, shown="ID")
    parser.option("--format", "auto (the default) tells by content", values.choice(*FORMATS), shown="|".join(FORMATS))


def _run(context: Context, arguments: Namespace) -> int:
    from application.ingest import Tally
    from application.ports import StoreError
    from consumers.garbage import Collector
    from consumers.refusals import FileRefused

    engine, output = context.engine, context.output
    if arguments.account:
        engine.accounts.get(arguments.account)
    total, refused, begun = Tally(), [], time.monotonic()
    with ExitStack() as files, Collector() as collector:
        for one in [_open(name, files) for name in arguments.files]:
            try:
                for batch in _batches(one, arguments, context.settings.batch_size, output):
                    total.add(engine.ingest.take(batch, one.kind))
                    output.progress(_progress(one, total, time.monotonic() - begun))
                    collector.tick()
            except FileRefused as error:
                refused.append(failure_of(error))
            except StoreError as error:
                refused.append(failure_of(error))
                break
    return _finish(output, total, refused)


def _open(name: str, files: ExitStack) -> Input:
    if name == STDIN:
        return Input("stdin", name, sys.stdin.buffer, 0)
    stream = files.enter_context(open_file(Path(name), "files"))
    return Input("file", values.in_utf8(name), stream, os.fstat(stream.fileno()).st_size)


def _batches(one: Input, arguments: Namespace, size: int, output: Output) -> "Iterator[list[Incoming]]":
    """Up to `size` records each; where the file turns out to be none, what came before is given first."""
    from application.letters import Incoming
    from consumers.files import open_usage
    from consumers.refusals import FileRefused

    batch: list[Incoming] = []
    records = open_usage(
        one.stream, name=one.name, account=arguments.account or "", format=arguments.format or "auto", warn=output.note
    )
    refused = None
    try:
        for name, line, record, raw in records:
            batch.append(Incoming(record, (one.kind, name, line, 0), raw))
            if len(batch) == size:
                yield batch
                batch = []
    except FileRefused as error:
        refused = error
    if batch:
        yield batch
    if refused is not None:
        raise refused


def _finish(output: Output, total: "Tally", refused: list[Failure]) -> int:
    """One document; what ended a file stands under `error`, and what was taken before it, or of others, is told."""
    document: dict[str, Any] = tally_view(total)
    if not refused:
        output.document(document)
        return exit_code_of(total)
    for failure in refused:
        output.note(f"commcredits: {failure.message}")
    output.partial(document, refused[0])
    return refused[0].exit_code


def _progress(one: Input, total: "Tally", seconds: float) -> str:
    share = f"{min(one.stream.tell() / one.size, 1):4.0%}  " if one.size else ""
    speed = total.read / max(seconds, 0.001)
    return f"{one.name}  {share}{total.read:,} read  {total.dead + total.conflicts:,} refused  {speed:,.0f} a second"


COMMANDS = (
    Command(
        "ingest",
        "takes usage in from files; a file may be taken in again",
        "commcredits ingest export.zip --account contoso",
        _options,
        _run,
    ),
)
