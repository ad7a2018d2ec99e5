"""The database undoes what a running consumer wrote: a deadlock, serialization failures. It is written again, once."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from adapters.store.postgres import LOCK_CLASS
from tests.support.consumers import World
from tests.support.stream import Stream
from tests.support.waiting import wait_until

MakeWorld = Callable[..., World]

# each third statement fails, now as a serialization failure and now as a deadlock; once more in a row than a commit is
# tried for by the store itself
UNDO = """
    CREATE SEQUENCE inserts;
    CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE number bigint := nextval('inserts');
        BEGIN
            IF number % 3 = 0 OR number BETWEEN 10 AND 20 THEN
                RAISE EXCEPTION 'injected' USING ERRCODE = (ARRAY['40001', '40P01'])[1 + number % 2];
            END IF;
            RETURN NULL;
        END $$;
    CREATE TRIGGER undo BEFORE INSERT ON stored_events FOR EACH STATEMENT EXECUTE FUNCTION undo()"""


def test_commits_that_are_undone_are_made_again(make_world: MakeWorld, postgres: str, kafka: str) -> None:
    stream = Stream(seed=91)
    world = make_world(postgres, kafka, stream, batch_size="50")
    with psycopg.connect(postgres) as session:
        session.execute(UNDO)
    world.publish(stream.messages(1_000))

    document = world.finish()

    assert document | stream.tally == document
    with psycopg.connect(postgres) as session:
        assert session.execute("SELECT last_value > 30 FROM inserts").fetchone() == (True,)
    world.check(stream)


def test_a_deadlock_with_another_session(make_world: MakeWorld, postgres: str, kafka: str) -> None:
    stream = Stream(seed=92)
    world = make_world(postgres, kafka, stream)
    consumer = world.consume()
    world.publish(stream.messages(100))
    world.wait_for_debits(stream.accepted)

    # the other waits for the deadlock to be found, so that the consumer is the one to be undone
    with (
        psycopg.connect(postgres, options="-c deadlock_timeout=60s") as other,
        psycopg.connect(postgres, autocommit=True) as watcher,
    ):

        def deadlocks() -> int:
            watcher.execute("SELECT pg_stat_force_next_flush()")
            found = watcher.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            [[count]] = found
            return int(count)

        def waiting() -> bool:
            found = watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
            return found.fetchone() != (0,)

        other.execute("SELECT pg_advisory_xact_lock(%s, 'stored_events'::regclass::oid::int)", [LOCK_CLASS])
        world.publish(stream.messages(500))
        wait_until(waiting, what="the consumer to wait for the log, its positions moved")
        other.execute("UPDATE positions SET reached = reached")
        wait_until(lambda: deadlocks() == 1, what="a deadlock")
        other.rollback()

    world.wait_for_debits(stream.accepted)
    assert consumer.end()[0] == 0
    world.check(stream)
