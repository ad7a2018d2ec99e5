"""Taking usage in: decide a whole batch and commit it once, whichever door it came through.

load -> refuse -> de-duplicate -> debit -> seal -> commit. What may be refused is looked at first; then the first of
an id wins within the batch; then one look-up: of the ids that were taken a short while ago, or of all where there were
duplicates of older ones lately. The unique index guards: when it (or an event's version) is taken, the batch is rolled
back, the accounts that somebody else wrote to are loaded anew, and what is theirs is decided again after a look-up.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from application.accounts import SNAPSHOT_EVERY, Accounts
from application.decks import DeckBook, without_rate
from application.letters import Incoming, letters_of
from application.ports import Commit, LetterStep, NewEvent, PositionSwap, Store, StoredUsage, WriteConflict
from application.privacy import Sealer, Vault, content_of, personal_of, usage_key
from domain.account import CreditAccount
from domain.budgets import cost_of
from domain.commands import due_trigger
from domain.debit import Debit, decide_free, decide_priced, decide_rated, is_free
from domain.events import UsageDebited, decode_state, encode_state
from domain.money import ZERO
from domain.months import DAY, SECOND, utc_month
from domain.numbers import Number
from domain.recharge import ARMED, POLICY, Policy
from domain.tariff import Match
from domain.usage import Refusal, Usage, charged_direction, field_name, is_emergency, rated_number

Source = tuple[str, str, int, int]
LOOKED_UP = 50_000  # usages after the last duplicate that came as a surprise, of which all ids are looked up first
KEYS_REMEMBERED = 30_000  # at the least, of the ids that were taken last
MAX_TRIES = 100  # each loses a race against another writer of the same account
_DEBITED = UsageDebited.__name__


class Tally(msgspec.Struct):
    """What became of the records: read = accepted + duplicates + conflicts + dead."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    dead: int = 0
    charged: dict[str, Decimal] = msgspec.field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Sum up batches."""
        self.read += other.read
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.conflicts += other.conflicts
        self.dead += other.dead
        for currency, amount in other.charged.items():
            self.charged[currency] = self.charged.get(currency, ZERO) + amount


class Ready(msgspec.Struct, frozen=True, gc=False):
    """A usage that nothing refuses so far: only its id is not looked up yet."""

    usage: Usage
    source: Source
    place: int  # in the batch
    account: CreditAccount
    key: bytes
    month: int  # of its start, UTC: whose data key seals it
    priced: bool
    rating: tuple[Number, str, Match] | None  # number, direction, matched rate; None: free or as priced


class Stopped(NamedTuple):
    """A record that is refused. `usage` and `key` where its id is to be looked up first: it may be a duplicate."""

    place: int
    reason: Refusal
    usage: Usage | None = None
    key: bytes = b""


class Batch:
    """The records at some `places` of what came in, on their way through. What is decided of an account is decided of
    it alone: where somebody else wrote to some first, only these are taken back and decided again.
    """

    def __init__(
        self, incoming: Sequence[Incoming], places: Sequence[int], accounts: dict[str, CreditAccount], now: int
    ) -> None:
        self.incoming, self.places, self.accounts, self.now = incoming, places, accounts, now
        self.ready: dict[bytes, Ready] = {}
        self.repeats: list[Ready] = []  # an id that stands twice in the batch
        self.stopped: list[Stopped] = []
        self.seen: set[int] = set()  # places of duplicates and conflicts
        self.surprised = False  # by a duplicate of what was not taken here just before
        self.refused: dict[int, Refusal] = {}  # by place: what becomes a letter
        self.events: list[NewEvent] = []
        self.grown: list[CreditAccount] = []  # whose snapshot is due
        nothing = {(account.currency, account.scale) for account in accounts.values()}
        self.charged = {currency: ZERO.scaleb(-scale) for currency, scale in sorted(nothing)}

    def by_account(self) -> list[int]:
        """The places, those of an account one after the other: its state is then in the processor's cache, and so is
        its end of the log's index in the database's.
        """
        accounts = [item.record.account_id for item in self.incoming]
        return sorted(self.places, key=accounts.__getitem__)

    def tally(self) -> Tally:
        """As it stands."""
        conflicts = len(self.seen & self.refused.keys())
        duplicates, dead = len(self.seen) - conflicts, len(self.refused) - conflicts
        return Tally(len(self.places), len(self.ready), duplicates, conflicts, dead, self.charged)

    def first_versions(self) -> dict[UUID, int]:
        """Of the accounts that events are written to: the version of the first of these."""
        firsts: dict[UUID, int] = {}
        for event in self.events:
            firsts.setdefault(event.originator_id, event.originator_version)
        return firsts

    def take_back(self, stale: Set[UUID]) -> tuple[list[str], list[int]]:
        """Forget what was decided of these accounts; answers their ids, and the places of what is to be decided."""
        names = {name: account for name, account in self.accounts.items() if account.stream in stale}
        currencies = {account.stream: account.currency for account in names.values()}
        places = [place for place in self.places if self.incoming[place].record.account_id in names]
        gone = set(places)
        self.ready = {key: ready for key, ready in self.ready.items() if ready.place not in gone}
        self.seen -= gone
        self.refused = {place: reason for place, reason in self.refused.items() if place not in gone}
        for event in self.events:
            if event.originator_id in stale and event.usage_key is not None:
                debited = decode_state(event.topic, event.state)
                assert isinstance(debited, UsageDebited)
                self.charged[currencies[event.originator_id]] -= cost_of(debited)
        self.events = [event for event in self.events if event.originator_id not in stale]
        self.grown = [account for account in self.grown if account.stream not in stale]
        return list(names), places

    def take_in(self, part: "Batch") -> None:
        """What was decided again."""
        self.accounts |= part.accounts
        self.ready |= part.ready
        self.seen |= part.seen
        self.surprised |= part.surprised
        self.refused |= part.refused
        self.events += part.events
        self.grown += part.grown
        for currency, amount in part.charged.items():
            self.charged[currency] += amount


class Ingest:
    """The write path of usage. `clock` answers microseconds since the epoch."""

    def __init__(
        self, store: Store, vault: Vault, accounts: Accounts, decks: DeckBook, clock: Callable[[], int], actor: str,
        policy: Policy = POLICY,
    ) -> None:  # fmt: skip
        self._store, self._vault, self._accounts, self._decks = store, vault, accounts, decks
        self._clock, self._actor, self._policy = clock, actor, policy
        self._to_look_up = LOOKED_UP
        self._taken: set[bytes] = set()  # keys of usages that were taken last, and
        self._taken_before: set[bytes] = set()

    def take(
        self,
        incoming: Sequence[Incoming],
        channel: str,
        positions: Sequence[PositionSwap] = (),
        resolve: Callable[[Mapping[int, Refusal], int], Sequence[LetterStep]] | None = None,
        why: str = "",
        meanwhile: Callable[[], None] | None = None,
    ) -> Tally:
        """Commit a batch with the positions it came from. Raises PositionMoved, StoreUnavailable; then nothing is
        written.

        Where the batch is letters that are retried, `resolve` answers what becomes of them, given what is refused again
        by place and the time: no new letters are made. `why` is the reason that the debits give.
        `meanwhile`: as the store's `commit` has it.
        """
        names = dict.fromkeys(item.record.account_id for item in incoming if item.record.account_id)
        batch: Batch | None = None
        try:
            for attempt in range(MAX_TRIES):
                if batch is None:
                    sealer = self._vault.sealer()
                    batch = Batch(incoming, range(len(incoming)), self._accounts.find(names), self._clock())
                    self._decide(batch, sealer, channel, why, attempt > 0)
                steps = resolve(batch.refused, batch.now) if resolve else ()
                refused = {} if resolve else batch.refused
                letters = letters_of(
                    [(incoming[place], refused[place]) for place in sorted(refused)], self._vault, sealer, batch.now
                )
                try:
                    whole = Commit(batch.events, positions, letters, steps, sealer.keys, sealer.users)
                    self._store.commit(whole, meanwhile)
                except WriteConflict:
                    if attempt == MAX_TRIES - 1:
                        raise
                    batch = self._again(batch, sealer, channel, why)
                    continue
                sealer.committed()
                self._accounts.committed(batch.grown)
                self._remember(batch)
                return batch.tally()
        except BaseException:
            self._accounts.evict(names)
            raise
        raise AssertionError("unreachable")

    def _remember(self, batch: Batch) -> None:
        """Most duplicates come soon after the first; those are no reason to look all ids up."""
        self._to_look_up = LOOKED_UP if batch.surprised else self._to_look_up - len(batch.places)
        if len(self._taken) >= KEYS_REMEMBERED:
            self._taken, self._taken_before = set(), self._taken
        self._taken.update(batch.ready)

    def _again(self, batch: Batch, sealer: Sealer, channel: str, why: str) -> Batch | None:
        """Decide again what is of accounts that somebody else wrote to, fast: the next one may be about to. None where
        it was something else that was taken (a key, a pseudonym): then all of it is decided anew.
        """
        stale = self._store.taken_versions(batch.first_versions())
        if not stale:
            self._accounts.evict(batch.accounts)
            return None
        names, places = batch.take_back(stale)
        self._accounts.evict(names)
        part = Batch(batch.incoming, places, self._accounts.find(names), self._clock())
        self._decide(part, sealer, channel, why, True)
        batch.take_in(part)
        return batch

    def _decide(self, batch: Batch, sealer: Sealer, channel: str, why: str, look_up: bool) -> None:
        self._decks.refresh()
        for place in batch.by_account():
            self._sort_in(batch, place, batch.incoming[place])
        self._look_up(batch, look_up or self._to_look_up > 0)
        ready = batch.ready.values()
        seals = sealer.find([(r.usage.account_id, r.month, r.usage.user_id) for r in ready])
        self._debit(batch, zip(ready, seals, strict=True), sealer, channel, why)

    def _sort_in(self, batch: Batch, place: int, item: Incoming) -> None:
        """What may be refused first: account, currency, time, rate."""
        usage = item.record
        if isinstance(usage, Refusal):
            batch.stopped.append(Stopped(place, usage))
            return
        account = batch.accounts.get(usage.account_id)
        if account is None:
            reason = refusal(usage, "unknown_account", "account_id", f"there is no account {usage.account_id}")
            batch.stopped.append(Stopped(place, reason))
            return
        key = usage_key(usage.account_id, usage.usage_id)
        as_priced = account.settings.pricing == "as-priced"
        rating = self._rate(account, usage, as_priced, batch.now)
        if isinstance(rating, Refusal):
            batch.stopped.append(Stopped(place, rating, usage, key))
            return
        month = utc_month(usage.started_at)
        ready = Ready(usage, item.source, place, account, key, month, as_priced and not is_free(usage), rating)
        if batch.ready.setdefault(key, ready) is not ready:
            batch.repeats.append(ready)

    def _rate(
        self, account: CreditAccount, usage: Usage, as_priced: bool, now: int
    ) -> tuple[Number, str, Match] | Refusal | None:
        if usage.currency and usage.currency != account.currency and not is_emergency(usage.call_type):
            text = f"the account is in {account.currency}, this usage in {usage.currency}; nothing is converted"
            return refusal(usage, "currency_mismatch", "currency", text)
        if usage.started_at > now + DAY:
            return refusal(usage, "start_in_future", "started_at", "it starts more than 24 hours from now")
        if as_priced:
            if usage.charge is None and not is_free(usage):
                text = "the account is debited as priced, and this usage has no charge"
                return refusal(usage, "not_priced", "charge", text)
            return None
        direction = charged_direction(usage)
        if direction is None:
            return None
        number = rated_number(usage)
        if isinstance(number, Refusal):
            return number
        deck = self._decks.deck_for(account.settings.deck, account.currency)
        if isinstance(deck, str):
            which = account.settings.deck or "the deck named default, or an only one,"
            text = f"{which} would rate account {account.account_id}, and is not there in {account.currency}"
            return refusal(usage, deck, "callee", text)
        match = deck.find(number, usage.caller, direction, usage.started_at)
        if isinstance(match, str):
            text = f"{without_rate(deck, match)} for this number at the call's start"
            return refusal(usage, match, "callee", text)
        return number, direction, match

    def _look_up(self, batch: Batch, whole: bool) -> None:
        """Duplicates and conflicts: with what is stored, then within the batch. The rest of what was stopped is
        dead.
        """
        keys = list(batch.ready) if whole else self._remembered(batch.ready.keys())
        keys += [stopped.key for stopped in batch.stopped if stopped.key and stopped.key not in batch.ready]
        stored = self._store.find_usages(keys) if keys else {}
        if stored:
            batch.surprised = len(self._remembered(stored.keys())) < len(stored)
            self._compare_stored(batch, stored)
        for repeat in batch.repeats:
            first = batch.ready.get(repeat.key)
            if first is not None:
                self._seen(batch, repeat.place, repeat.usage, _same(first, repeat.usage))
        for stopped in batch.stopped:
            if stopped.place in batch.seen:
                continue
            first = batch.ready.get(stopped.key) if stopped.key else None
            if first is not None and stopped.usage is not None:
                self._seen(batch, stopped.place, stopped.usage, _same(first, stopped.usage))
                continue
            batch.refused[stopped.place] = stopped.reason

    def _remembered(self, keys: Set[bytes]) -> list[bytes]:
        return [*self._taken.intersection(keys), *self._taken_before.intersection(keys)]

    def _compare_stored(self, batch: Batch, stored: Mapping[bytes, StoredUsage]) -> None:
        again = [(r.place, r.key, r.usage) for r in (*batch.ready.values(), *batch.repeats) if r.key in stored]
        again += [(s.place, s.key, s.usage) for s in batch.stopped if s.usage is not None and s.key in stored]
        wanted, events = [], []
        for _, key, usage in again:
            event = decode_state(_DEBITED, stored[key].state)
            assert isinstance(event, UsageDebited)
            priced = event.proof is not None and event.proof.price is not None
            content = content_of(usage, batch.accounts[usage.account_id].currency if priced else "")
            wanted.append((usage.account_id, utc_month(event.started_at), key, content))
            events.append(event)
        computed = self._vault.commitments(wanted)
        for (place, key, usage), event, now in zip(again, events, computed, strict=True):
            batch.ready.pop(key, None)
            same = now is None or now == event.commitment or self._is_erased(usage.account_id, key, event)
            self._seen(batch, place, usage, same)

    def _is_erased(self, account_id: str, key: bytes, event: UsageDebited) -> bool:
        """Whether its month's key was erased: what came late since gave the month another, which compares nothing."""
        return self._vault.unseal(account_id, utc_month(event.started_at), key, event.sealed) is None

    def _seen(self, batch: Batch, place: int, usage: Usage, same: bool) -> None:
        batch.seen.add(place)
        if not same:
            text = "this usage id was taken already with other content"
            batch.refused[place] = refusal(usage, "conflict", "usage_id", text)

    def _debit(
        self, batch: Batch, prepared: Iterable[tuple[Ready, tuple[Any, str]]], sealer: Sealer, channel: str, why: str
    ) -> None:
        now, actor, append, charged = batch.now, self._actor, batch.events.append, batch.charged
        policy = self._policy
        for ready, (data_key, user) in prepared:
            usage, account = ready.usage, ready.account
            amount, balance, flags, proof = _decide_debit(ready, user)
            commitment, sealed = sealer.seal(
                data_key, ready.key, content_of(usage, account.currency if ready.priced else ""), personal_of(usage)
            )  # fmt: skip
            recorded_at = now if now > account.recorded_at else account.recorded_at
            event = UsageDebited(
                2, usage.started_at + usage.duration_seconds * SECOND, recorded_at, actor, channel, why, usage.usage_id,
                usage.call_type, usage.started_at, usage.duration_seconds, amount, balance, user, flags, proof,
                ready.source, commitment, sealed,
            )  # fmt: skip
            version = account.version + 1
            account.apply(event, version)
            stream = account.stream
            append(NewEvent(stream, version, _DEBITED, encode_state(event), ready.key))
            if not version % SNAPSHOT_EVERY:
                batch.grown.append(account)
            if amount:
                charged[account.currency] += amount
            if proof is not None and proof.postpaid:
                charged[account.currency] += proof.postpaid
            if account.recharge.state == ARMED and (trigger := due_trigger(account, policy)) is not None:
                account.apply(trigger, version + 1)
                append(NewEvent(stream, version + 1, trigger.__class__.__name__, encode_state(trigger)))


def _same(first: Ready, usage: Usage) -> bool:
    priced_in = first.account.currency if first.priced else ""
    return content_of(first.usage, priced_in) == content_of(usage, priced_in)


def _decide_debit(ready: Ready, user: str) -> Debit:
    if ready.rating is not None:
        return decide_rated(ready.account, ready.usage, user, *ready.rating)
    if ready.priced:
        return decide_priced(ready.account, ready.usage, user)
    return decide_free(ready.account, ready.usage)


def refusal(usage: Usage, reason: str, field: str, message: str) -> Refusal:
    """A reason in the source's own words."""
    return Refusal(
        reason, field_name(usage.format, field), message, b"", usage.account_id, usage.usage_id, usage.format
    )
