"""The figure of the embedded store: `commcredits ingest` of a file into SQLite."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

from eventsourcing.sqlite import SQLiteDatastore, SQLiteProcessRecorder

from adapters.store.sqlite import PRAGMAS
from benchmarks.context import Context, read_messages
from benchmarks.floors import ROWS_A_COMMIT
from benchmarks.report import Figure
from benchmarks.seed import seed
from benchmarks.servers import environment, settings, sqlite_url
from commcredits.bootstrap import Engine

READY: Final = "SELECT originator_id, originator_version, topic, state FROM stored_events WHERE usage_key IS NOT NULL"


def from_file(context: Context) -> list[Figure]:
    """The program as a user runs it, its start included."""
    url = sqlite_url(context.folder)
    engine = Engine(settings(url))
    seed(engine, context.world)
    engine.close()
    file = context.folder / "usage.ndjson"
    with file.open("wb") as lines:
        lines.writelines(message.value + b"\n" for message in read_messages(context.messages("spread")))
    command = [sys.executable, "-m", "commcredits", "ingest", str(file), "--json"]
    begun = time.perf_counter()
    done = subprocess.run(command, env=environment(url), capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise RuntimeError(f"ingest ended with {done.returncode}: {done.stdout} {done.stderr}")
    floor = executemany_floor(Path(url.removeprefix("sqlite:///")))
    return [
        Figure(
            name="NDJSON to SQLite",
            unit="usages/s",
            value=context.usages / seconds,
            floor=floor,
            must=0.15,
            aim=0.3,
            rows=context.usages,
            detail={"seconds": round(seconds, 2)},
        )
    ]


def executemany_floor(database: Path) -> float:
    """Rows a second into the library's own table in another file, of the same kind of database as the program's.

    The rows are those of `database`, read before; only `executemany` and commit are counted.
    """
    path = database.with_suffix(".floor")
    datastore = SQLiteDatastore(path.as_uri())
    SQLiteProcessRecorder(datastore).create_table()
    datastore.close()
    rows, seconds = 0, 0.0
    with closing(sqlite3.connect(database)) as reading, closing(sqlite3.connect(path)) as writing:
        for pragma in PRAGMAS:
            writing.execute(f"PRAGMA {pragma}")
        for batch in _batches(reading):
            begun = time.perf_counter()
            writing.executemany("INSERT INTO stored_events VALUES (?,?,?,?)", batch)
            writing.commit()
            seconds += time.perf_counter() - begun
            rows += len(batch)
    return rows / seconds


def _batches(connection: sqlite3.Connection) -> Iterator[list[Any]]:
    cursor = connection.execute(READY)
    while batch := list(islice(cursor, ROWS_A_COMMIT)):
        yield batch
