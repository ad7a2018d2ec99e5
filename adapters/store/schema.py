"""Our tables beside the library's: positions, keys of personal data, users, dead letters, contents of rate decks.

One text for both stores: `{bytes}` is the only type whose name differs. Raise SCHEMA_VERSION when any table changes,
those of the read models too, and add how to get there to `UPGRADES`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from application.ports import Commit, Database, Letter, LetterStep, SchemaMissing

SCHEMA_VERSION: Final = 2


def _from_1(database: Database) -> None:
    """Version 2 only has more tables (duties, claims, provider_inbox, notices and what they need): made by now."""


UPGRADES: Final[dict[int, Callable[[Database], None]]] = {1: _from_1}  # by the version that is left behind

CreateTables = Callable[[Database], None]

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS commcredits_schema (version integer NOT NULL)",
    """CREATE TABLE IF NOT EXISTS positions (
        topic text NOT NULL, partition integer NOT NULL, topic_id text NOT NULL, reached bigint NOT NULL,
        miskeyed bigint NOT NULL, PRIMARY KEY (topic, partition))""",
    """CREATE TABLE IF NOT EXISTS data_keys (
        account text NOT NULL, purpose text NOT NULL, month integer NOT NULL, wrapped {bytes} NOT NULL,
        PRIMARY KEY (account, purpose, month))""",
    """CREATE TABLE IF NOT EXISTS users (
        account text NOT NULL, pseudonym text NOT NULL PRIMARY KEY, lookup {bytes} NOT NULL,
        sealed_name {bytes} NOT NULL, UNIQUE (account, lookup))""",
    """CREATE TABLE IF NOT EXISTS dead_letters (
        id text NOT NULL PRIMARY KEY, reason text NOT NULL, field text NOT NULL, message text NOT NULL,
        account text NOT NULL, usage_id text NOT NULL, source_kind text NOT NULL, source_name text NOT NULL,
        source_part bigint NOT NULL, source_offset bigint NOT NULL, format text NOT NULL, source_key {bytes} NOT NULL,
        key_month integer NOT NULL, sealed {bytes} NOT NULL, recorded_at bigint NOT NULL, status text NOT NULL,
        note text NOT NULL, resolved_at bigint, resolved_by text NOT NULL, steps integer NOT NULL)""",
    # a record of a topic has its place for ever, a line of a file may come again once its letter is closed
    """CREATE UNIQUE INDEX IF NOT EXISTS dead_letters_source_key ON dead_letters (source_key)
        WHERE status = 'open' OR source_kind = 'kafka'""",
    "CREATE INDEX IF NOT EXISTS dead_letters_status ON dead_letters (status, id)",
    # its key lets only one of those who settle a letter at once go on
    """CREATE TABLE IF NOT EXISTS dead_letter_steps (
        letter text NOT NULL, number integer NOT NULL, taken_at bigint NOT NULL, taken_by text NOT NULL,
        action text NOT NULL, fields text NOT NULL, sealed {bytes} NOT NULL, was text NOT NULL, reason text NOT NULL,
        field text NOT NULL, message text NOT NULL, status text NOT NULL, note text NOT NULL,
        source_key {bytes} NOT NULL, PRIMARY KEY (letter, number))""",
    """CREATE TABLE IF NOT EXISTS deck_contents (
        deck text NOT NULL, version integer NOT NULL, content {bytes} NOT NULL, PRIMARY KEY (deck, version))""",
)

LETTER_COLUMNS: Final = (
    "id, reason, field, message, account, usage_id, source_kind, source_name, source_part, source_offset, format, "
    "source_key, key_month, sealed, recorded_at, status, note, resolved_at, resolved_by, steps"
)
STEP_COLUMNS: Final = (
    "letter, number, taken_at, taken_by, action, fields, sealed, was, reason, field, message, status, note, source_key"
)
# once its step is there; the values as in `settlement`
SETTLE_LETTER: Final = """UPDATE dead_letters SET reason = ?, field = ?, message = ?, status = ?, note = ?, steps = ?,
    resolved_at = ?, resolved_by = ?, source_key = CASE WHEN EXISTS (
        SELECT 1 FROM dead_letters AS other WHERE other.source_key = ? AND other.id <> dead_letters.id
            AND (other.status = 'open' OR other.source_kind = 'kafka')) THEN source_key ELSE ? END
    WHERE id = ?"""


class Inserts(NamedTuple):
    """Rows of one of our tables. `types` are PostgreSQL's, in the order of the columns."""

    table: str
    columns: str
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    on_conflict: str = ""


def letter_row(letter: Letter) -> tuple[Any, ...]:
    """A letter as a row of dead_letters."""
    return (
        *(letter.id, letter.reason, letter.field, letter.message, letter.account, letter.usage_id, *letter.source),
        *(letter.format, letter.source_key, letter.key_month, letter.sealed, letter.recorded_at),
        *(letter.status, letter.note, letter.resolved_at, letter.resolved_by, letter.steps),
    )


def letter_of(row: Sequence[Any]) -> Letter:
    """A row of dead_letters as a letter."""
    values = [*row[:6], tuple(row[6:10]), *row[10:]]
    return Letter(**dict(zip(Letter.__struct_fields__, values, strict=True)))


def step_row(step: LetterStep) -> tuple[Any, ...]:
    """A step as a row of dead_letter_steps."""
    values = msgspec.structs.astuple(step)
    return (*values[:5], msgspec.json.encode(step.fields).decode(), *values[6:])


def step_of(row: Sequence[Any]) -> LetterStep:
    """A row of dead_letter_steps as a step."""
    values = [*row[:5], msgspec.json.decode(row[5], type=tuple[str, ...]), *row[6:]]
    return LetterStep(**dict(zip(LetterStep.__struct_fields__, values, strict=True)))


def settlement(step: LetterStep) -> tuple[Any, ...]:
    """What a step makes of its letter, for SETTLE_LETTER."""
    resolved = (None, "") if step.status == "open" else (step.at, step.by)
    state = (step.reason, step.field, step.message, step.status, step.note, step.number)
    return (*state, *resolved, step.source_key, step.source_key, step.letter)


def rows_beside(commit: Commit) -> list[Inserts]:
    """What a commit adds to our tables. In the order of their keys, so that two writers do not wait for each other."""
    text, number, octets = "text", "bigint", "bytea"
    letter_types = (*[text] * 8, number, number, text, octets, number, octets, number, text, text, number, text, number)
    step_types = (text, number, number, *[text] * 3, octets, *[text] * 6, octets)
    once = "ON CONFLICT (source_key) WHERE status = 'open' OR source_kind = 'kafka' DO NOTHING"
    letters = sorted(commit.letters, key=lambda letter: letter.source_key)
    found = (
        Inserts("data_keys", "account, purpose, month, wrapped", (text, text, number, octets), sorted(commit.keys)),
        Inserts("users", "account, pseudonym, lookup, sealed_name", (text, text, octets, octets), sorted(commit.users)),
        Inserts("dead_letters", LETTER_COLUMNS, letter_types, [letter_row(each) for each in letters], once),
        Inserts("dead_letter_steps", STEP_COLUMNS, step_types, [step_row(each) for each in commit.letter_steps]),
        Inserts("deck_contents", "deck, version, content", (text, number, octets), list(commit.deck_contents)),
    )
    return [inserts for inserts in found if inserts.rows]


def create_tables(database: Database, tables: Iterable[CreateTables]) -> None:
    """Our tables and those of the read models, at this program's version. Does nothing where they are there."""
    octets = "bytea" if database.dialect == "postgresql" else "blob"
    for statement in TABLES:
        database.execute(statement.replace("{bytes}", octets))
    for create in tables:
        create(database)
    found = database.execute("SELECT version FROM commcredits_schema")
    if not found:
        database.execute("INSERT INTO commcredits_schema VALUES (?)", (SCHEMA_VERSION,))
        return
    check_not_newer(found[0][0])
    for version in range(found[0][0], SCHEMA_VERSION):
        UPGRADES[version](database)
    database.execute("UPDATE commcredits_schema SET version = ?", (SCHEMA_VERSION,))


def check_not_newer(version: int) -> None:
    """Raises SchemaMissing where a newer program made the tables: this one could not keep what it does not know."""
    if version > SCHEMA_VERSION:
        raise SchemaMissing(
            f"the schema is of version {version}, newer than this program's {SCHEMA_VERSION}: update it"
        )
