"""The floors: what the stores can do with rows that are ready, in the tables as the library makes them."""

import time
from collections.abc import Iterator
from itertools import islice
from struct import Struct
from typing import Any, Final

import psycopg
from eventsourcing.postgres import PostgresDatastore, PostgresProcessRecorder
from psycopg.conninfo import conninfo_to_dict

from adapters.store.postgres import COPY_HEADER, COPY_TRAILER

ROWS_A_COMMIT: Final = 5_000
COMMITS_AT_ONCE: Final = 40  # rows in memory: 130 MB
COPY: Final = "COPY plain_events (originator_id, originator_version, topic, state) FROM STDIN (FORMAT BINARY)"
_HEAD: Final = Struct(">hi16siqi12si")

Row = tuple[Any, int, str, bytes]  # originator, version, topic, state
TOPIC: Final = "UsageDebited"


def copy_floor(url: str, limit: int) -> float:
    """Rows a second that one process COPYs into `stored_events` as the library makes it: the debits of this database.

    In the same database, under another name. The rows are made ready before, many commits' worth at a time, so that one
    commit follows the other as in the path that this is the floor of.
    """
    parts = conninfo_to_dict(url)
    datastore = PostgresDatastore(
        *(str(parts.get(name, "")) for name in ("dbname", "host", "port", "user", "password"))
    )
    recorder = PostgresProcessRecorder(
        datastore, events_table_name="plain_events", tracking_table_name="plain_tracking"
    )
    recorder.create_table()
    datastore.close()
    rows, seconds = 0, 0.0
    with psycopg.connect(url) as reading, psycopg.connect(url) as writing:
        batches = _batches(reading, limit)
        while ready := [(len(batch), _buffer(batch)) for batch in islice(batches, COMMITS_AT_ONCE)]:
            begun = time.perf_counter()
            for _, buffer in ready:
                with writing.cursor() as cursor, cursor.copy(COPY) as copy:
                    copy.write(buffer)
                writing.commit()
            seconds += time.perf_counter() - begun
            rows += sum(count for count, _ in ready)
        writing.execute("DROP TABLE plain_events, plain_tracking")
    return rows / seconds


def _batches(connection: psycopg.Connection[Any], limit: int) -> Iterator[list[Row]]:
    with connection.cursor("ready", binary=True) as cursor:
        cursor.itersize = 10 * ROWS_A_COMMIT
        cursor.execute(
            "SELECT originator_id, originator_version, topic, state FROM stored_events"
            " WHERE topic = 'UsageDebited' ORDER BY notification_id LIMIT %s",
            [limit],
        )
        while batch := list(islice(cursor, ROWS_A_COMMIT)):
            yield batch


def _buffer(batch: list[Row]) -> bytes:
    parts = [COPY_HEADER]
    for originator, version, topic, state in batch:
        parts += (_HEAD.pack(4, 16, originator.bytes, 8, version, len(TOPIC), topic.encode(), len(state)), state)
    parts.append(COPY_TRAILER)
    return b"".join(parts)
