"""Dead letters: look at them, take them in again (with fields changed), or give them up.

A retry begins from the record as it came. Refused again, its letter stays open with the new reason; else it is settled
in the same commit as the debit. Every try is a step that is kept; its number lets only one of those who settle a letter
at once go on, and the other begins again from what the letter is then.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from application.ingest import Ingest, Tally
from application.letters import Incoming, record_key
from application.ports import Commit, Letter, LetterStep, Store, WriteConflict
from application.privacy import NO_ACCOUNT, Vault
from domain.commands import By
from domain.errors import Invalid, NotFound, Refused
from domain.usage import Refusal, Usage

OPEN, RETRIED, DISCARDED = "open", "retried", "discarded"
PAGE = 1_000  # letters of one commit
MAX_TRIES = 20
T = TypeVar("T")
CHANNEL = "cli"

Patch = Mapping[str, str]  # field, by the source's own name or ours -> its new value as text; empty: none
Decode = Callable[[bytes, str, str, Patch], Usage | Refusal]
"""Record, format, account and patch -> what it is. Raises Invalid for a field that the format does not have."""


class ReadStep(NamedTuple):
    """A step with the values it changed; None where they were erased."""

    step: LetterStep
    patch: dict[str, str] | None


class ReadLetter(NamedTuple):
    """A letter with its record; None where it was erased."""

    letter: Letter
    record: bytes | None
    steps: list[ReadStep]


class _LettersMoved(Exception):
    """Somebody else has settled, or tried to, one of the letters meanwhile."""


class DeadLetters:
    """Use cases over one store. `ingest` acts in the name of whoever retries."""

    def __init__(self, store: Store, vault: Vault, ingest: Ingest, decode: Decode) -> None:
        self._store, self._vault, self._ingest, self._decode = store, vault, ingest, decode

    def find(self, reason: str = "", status: str = "") -> Iterator[Letter]:
        """Letters in order of receipt, in constant memory."""
        after = ""
        while page := self._store.letters(reason=reason, status=status, after=after, limit=PAGE):
            yield from page
            after = page[-1].id

    def get(self, letter_id: str) -> Letter:
        """Raises NotFound `unknown_letter`."""
        found = self._store.letters(ids=[letter_id])
        if not found:
            raise NotFound("unknown_letter", f"there is no dead letter {letter_id}", "id")
        return found[0]

    def show(self, letter_id: str) -> ReadLetter:
        """A letter whole: its record, and what was tried. Raises NotFound `unknown_letter`."""
        letter = self.get(letter_id)
        steps = [ReadStep(step, self._patch_of(letter, step)) for step in self._store.letter_steps(letter_id)]
        return ReadLetter(letter, self._record(letter), steps)

    def retry(self, by: By, letter_id: str, patch: Patch) -> Tally:
        """Take one in again. One that was retried with success before is left alone.

        Raises NotFound `unknown_letter`, Refused `letter_discarded`, and what the decoder raises for the patch.
        """

        def settle() -> Tally:
            letter = self.get(letter_id)
            if letter.status == DISCARDED:
                raise Refused("letter_discarded", f"dead letter {letter_id} was given up by {letter.resolved_by}", "id")
            return self._take(by, [letter], patch) if letter.status == OPEN else Tally()

        return _persist(settle)

    def retry_all(self, by: By, reason: str = "") -> Iterator[Tally]:
        """Take all open ones (of a reason) in again, each page in one commit; answers what became of each page."""
        return self._pages(reason, lambda page: self._take(by, page, {}))

    def discard(self, by: By, letter_id: str, note: str) -> int:
        """Give one up; 0 when it was before. Raises NotFound `unknown_letter`, Refused `letter_retried`, Invalid."""

        def settle() -> int:
            letter = self.get(letter_id)
            if letter.status == RETRIED:
                raise Refused("letter_retried", f"dead letter {letter_id} was taken in already", "id")
            return self._give_up(by, [letter], note) if letter.status == OPEN else 0

        return _persist(settle)

    def discard_all(self, by: By, reason: str, note: str) -> int:
        """Give all open ones of a reason up; answers how many."""
        return sum(self._pages(reason, lambda page: self._give_up(by, page, note)))

    def _pages(self, reason: str, settle: Callable[[list[Letter]], T]) -> Iterator[T]:
        after = ""

        def settle_next() -> T | None:
            nonlocal after
            page = self._store.letters(reason=reason, status=OPEN, after=after, limit=PAGE)
            if not page:
                return None
            done = settle(page)
            after = page[-1].id
            return done

        while (done := _persist(settle_next)) is not None:
            yield done

    def _give_up(self, by: By, letters: Sequence[Letter], note: str) -> int:
        if not note:
            raise Invalid("missing_note", "say why they are given up", "note")
        self._store.commit(
            Commit(letter_steps=[_step(letter, by, by.now, "discard", DISCARDED, note) for letter in letters])
        )
        return len(letters)

    def _take(self, by: By, letters: Sequence[Letter], patch: Patch) -> Tally:
        """One commit. Raises _LettersMoved."""
        incoming = [self._incoming(letter, patch) for letter in letters]
        sealed = self._sealed(letters[0], patch) if patch else b""
        tries = 0

        def resolve(refused: Mapping[int, Refusal], now: int) -> list[LetterStep]:
            nonlocal tries
            tries += 1
            if tries > 1 and self._store.letters(ids=[letter.id for letter in letters]) != list(letters):
                raise _LettersMoved
            steps = []
            for place, letter in enumerate(letters):
                step = _step(letter, by, now, "retry", RETRIED, "", tuple(patch), sealed)
                reason = refused.get(place)
                steps.append(step if reason is None else self._still_open(step, letter, incoming[place], reason, patch))
            return steps

        why = f"dead letter {letters[0].id} retried" if len(letters) == 1 else "dead letters retried"
        if patch:
            why += f" with {', '.join(patch)} changed"
        return self._ingest.take(incoming, CHANNEL, resolve=resolve, why=why)

    def _incoming(self, letter: Letter, patch: Patch) -> Incoming:
        """The record as the write path takes it: what cannot be read any more is refused again."""
        plain = self._record(letter)
        if plain is None:
            message = "it was erased by law and cannot be read any more: give it up by `discard`"
            record: Usage | Refusal = Refusal(
                "erased", "", message, b"", letter.account, letter.usage_id, letter.format
            )
        elif letter.reason == "too_large":
            record = Refusal(
                letter.reason, letter.field, letter.message, plain, letter.account, letter.usage_id, letter.format
            )
        else:
            record = self._decode(plain, letter.format, letter.account, patch)
        return Incoming(record, letter.source, plain or b"")

    def _still_open(
        self, step: LetterStep, letter: Letter, item: Incoming, reason: Refusal, patch: Patch
    ) -> LetterStep:
        """The letter keeps being found by what it came as, unless an unchanged record is refused for another reason."""
        key = letter.source_key
        if item.raw and not patch and letter.source[0] != "kafka" and reason.reason != letter.reason:
            key = record_key(item.raw, reason, self._vault)
        return msgspec.structs.replace(
            step, reason=reason.reason, field=reason.field, message=reason.message, status=OPEN, source_key=key
        )

    def _record(self, letter: Letter) -> bytes | None:
        return self._vault.unseal(letter.account or NO_ACCOUNT, letter.key_month, letter.id.encode(), letter.sealed)

    def _sealed(self, letter: Letter, patch: Patch) -> bytes:
        account, month = letter.account or NO_ACCOUNT, letter.key_month
        sealer = self._vault.sealer()
        sealer.prepare([(account, month)], ())
        return sealer.seal_bytes(
            account, month, _context(letter.id, letter.steps + 1), msgspec.json.encode(dict(patch))
        )

    def _patch_of(self, letter: Letter, step: LetterStep) -> dict[str, str] | None:
        if not step.fields:
            return {}
        account = letter.account or NO_ACCOUNT
        plain = self._vault.unseal(account, letter.key_month, _context(letter.id, step.number), step.sealed)
        return None if plain is None else msgspec.json.decode(plain, type=dict[str, str])


def _persist(settle: Callable[[], T]) -> T:
    """Begin again where others settle the same letters."""
    for _ in range(MAX_TRIES):
        with contextlib.suppress(_LettersMoved, WriteConflict):
            return settle()
    raise WriteConflict("others are settling the same dead letters; try again")


def _context(letter_id: str, number: int) -> bytes:
    return f"{letter_id}/{number}".encode()


def _step(
    letter: Letter,
    by: By,
    at: int,
    action: str,
    status: str,
    note: str,
    fields: tuple[str, ...] = (),
    sealed: bytes = b"",
) -> LetterStep:
    return LetterStep(
        letter.id,
        letter.steps + 1,
        at,
        by.actor,
        action,
        fields,
        sealed,
        letter.reason,
        letter.reason,
        letter.field,
        letter.message,
        status,
        note,
        letter.source_key,
    )
