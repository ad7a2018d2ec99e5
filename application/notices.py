"""Notices on their way: made of the log and of the time, handed to whom they concern, delivered at least once.

`work` calls `run` again and again, any number of processes may. A delivery is claimed for a while, tried, and booked;
who dies in between leaves it to the next one, so the other side may see it twice, under the same id. After a failure
the pauses grow for three days, then it is dead. A notice that is older than MAX_AGE when it is found is listed, and
delivered to nobody (docs/decisions/0031).
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from application import outbox
from application.composing import Composer
from application.outbox import DEAD, DELIVERED, MAIL, PENDING, Delivery, Notice, Target
from application.ports import Database, Store, StoreError, WriteConflict
from application.sending import Answer, Hook, HookSender, Mail, MailServer

_SECOND: Final = 1_000_000
MAX_AGE: Final = 7 * 86_400 * _SECOND
# seconds after each failure before the next try; together three days
PAUSES_SECONDS: Final = (15, 45, 240, 1_500, 5_400, 14_400, 28_800, 57_600, 64_800, 86_400)
GIVEN_UP_AFTER: Final = sum(PAUSES_SECONDS) * _SECOND
LEASE = 180 * _SECOND  # longer than any try lasts
STEPS_A_RUN: Final = 10
NOTICES_A_RUN: Final = 500
DELIVERIES_LOOKED_AT: Final = 1_000
TARGETS_A_RUN: Final = 32
MAILS_A_RUN: Final = 50
HOOKS_A_RUN: Final = 10  # of one webhook
THREADS: Final = 16
SECONDS_A_RUN: Final = 10.0  # for one webhook: after that no further post is begun
LEFT_ALONE: Final = 300 * _SECOND  # who does not answer, at most, by notices that have not been tried yet
WRITE_TRIES: Final = 5

T = TypeVar("T", Mail, Hook)
_log = logging.getLogger("commcredits.notices")


class Notices:
    """Over one store; for one thread, which `run` keeps for as long as the slowest receiver may take.

    Claims go by `store_clock`, whatever time `run` is told that it is: that only decides what is due.
    """

    def __init__(
        self,
        store: Store,
        store_clock: Callable[[Database], int],
        composer: Composer,
        follow: Callable[[], bool],
        look: Callable[[int], int],
        mail: MailServer,
        hooks: HookSender,
    ) -> None:
        self._store, self._store_clock, self._composer = store, store_clock, composer
        self._follow, self._look, self._mail, self._hooks = follow, look, mail, hooks

    def follow(self) -> bool:
        """Apply the next part of the log to the notices; False: there was nothing new."""
        return self._follow()

    def run(self, now: int) -> int:
        """One round: follow the log, look at what is due by the time, hand out, deliver. Bounded: some of the log, and
        of the deliveries that are due each once, to many receivers at a time and to each for some seconds.

        How much was done; 0: nothing more is due now. Raises StoreUnavailable, WriteConflict.
        """
        done = 0
        while done < STEPS_A_RUN and self._follow():
            done += 1
        if done < STEPS_A_RUN:  # else there may be accounts yet whose time would be passed over
            done += self._look(now)
        return done + self.hand_out(now) + self.deliver(now)

    def hand_out(self, now: int) -> int:
        """A delivery for everybody who is to be told of a new notice; answers how many notices there were."""
        with self._store.reading() as database:
            notices = outbox.unhanded(database, NOTICES_A_RUN)
            if not notices:
                return 0
            hooks = outbox.webhooks(database)
            accounts = {notice.account for notice in notices}
            people = {account: outbox.recipients_of(database, account) for account in accounts}

        def hand_over(database: Database) -> None:
            for notice in notices:
                outbox.hand_over(database, notice, _targets(notice, [*people[notice.account], *hooks], now), now)

        self._write(hand_over)
        return len(notices)

    def deliver(self, now: int) -> int:
        """Try what is due, each once; answers how many were tried."""
        claimed = self._claim(now)
        if not claimed:
            return 0
        with self._store.reading() as database:
            notices = outbox.notices_by_id(database, (each.notice for group in claimed for each in group))
            targets = {each.id: each for each in outbox.webhooks(database)}
            for account in {notice.account for notice in notices.values()}:
                targets |= {each.id: each for each in outbox.recipients_of(database, account)}
        with ThreadPoolExecutor(min(THREADS, len(claimed)), "notices") as pool:
            attempts = [(group, self._begin(pool, group, notices, targets, now)) for group in claimed]
        return sum(self._book(group, attempt.result(), now) for group, attempt in attempts)

    def _claim(self, now: int) -> list[list[Delivery]]:
        """Deliveries that are due, by target: all mails are for one server."""
        groups: dict[str, list[Delivery]] = {}
        with self._store.reading() as database:
            if not outbox.is_due(database, now):
                return []

        def claim(database: Database) -> None:
            groups.clear()
            clock = self._store_clock(database)
            for each in outbox.due(database, now, clock, LEASE, DELIVERIES_LOOKED_AT):
                key, most = (MAIL, MAILS_A_RUN) if each.channel == MAIL else (each.target, HOOKS_A_RUN)
                if key in groups or len(groups) < TARGETS_A_RUN:
                    group = groups.setdefault(key, [])
                    if len(group) < most:
                        group.append(each)
            outbox.claim(database, (each for group in groups.values() for each in group), clock + LEASE)

        self._write(claim)
        return list(groups.values())

    def _begin(
        self,
        pool: ThreadPoolExecutor,
        group: list[Delivery],
        notices: Mapping[str, Notice],
        targets: Mapping[str, Target],
        now: int,
    ) -> Future[list[Answer]]:
        """Write the messages here, send them in a thread: it has no store."""
        compose, to_send = self._composer, [(notices[each.notice], targets.get(each.target)) for each in group]
        if group[0].channel == MAIL:
            mails = [_written(partial(compose.mail, *each)) for each in to_send]
            return pool.submit(_send_mails, self._mail, mails)
        hooks = [_written(partial(compose.hook, *each, now)) for each in to_send]
        return pool.submit(_send_hooks, self._hooks, hooks)

    def _book(self, group: list[Delivery], answers: Sequence[Answer], now: int) -> int:
        """What came of the tries. Who does not answer is left alone for a while, with what else there is, too."""
        rest = group[len(answers) :]

        def book(database: Database) -> None:
            next_at = now
            for delivery, answer in zip(group, answers, strict=False):
                booked, next_at = _tried(delivery, answer, now)
                outbox.book(database, booked, next_at)
            outbox.release(database, rest)
            if rest and not answers[-1].delivered:
                first = group[0]
                target = "" if first.channel == MAIL else first.target
                outbox.put_off(database, first.channel, target, min(next_at, now + LEFT_ALONE))

        self._write(book)
        return len(answers)

    def _write(self, change: Callable[[Database], None]) -> None:
        """In a transaction; again when somebody else was first. Raises WriteConflict when that goes on."""
        for attempt in range(1, WRITE_TRIES + 1):
            try:
                with self._store.transaction() as database:
                    change(database)
            except WriteConflict:
                if attempt == WRITE_TRIES:
                    raise
            else:
                return


def _targets(notice: Notice, targets: Iterable[Target], now: int) -> list[Target]:
    if now - notice.at > MAX_AGE:
        return []
    return [each for each in targets if each.account in ("", notice.account) and each.wants(notice)]


def _tried(delivery: Delivery, answer: Answer, now: int) -> tuple[Delivery, int]:
    """The delivery after a try, and when the next one is."""
    attempts = delivery.attempts + 1
    status, next_at = DELIVERED, now
    if not answer.delivered:
        over = answer.final or attempts > len(PAUSES_SECONDS) or now - delivery.first_at >= GIVEN_UP_AFTER
        status = DEAD if over else PENDING
        next_at = now if over else now + PAUSES_SECONDS[delivery.attempts] * _SECOND
    tries = [*delivery.tries, (now, answer.text)]
    return delivery._replace(status=status, attempts=attempts, tries=tries), next_at


def _written(compose: Callable[[], T | Answer]) -> T | Answer:
    """A message. One that cannot be written is a try that has failed, and keeps no other back."""
    try:
        return compose()
    except StoreError:
        raise
    except Exception as fault:  # noqa: BLE001 - told, and booked
        _log.exception("a notice that could not be written")
        return Answer(False, f"not written: a fault of ours ({type(fault).__name__})")


def _send_mails(server: MailServer, mails: Sequence[Mail | Answer]) -> list[Answer]:
    """In order, as far as the server takes them. What could not be written has its answer already."""
    to_send = [each for each in mails if isinstance(each, Mail)]
    sent = iter(server.send(to_send) if to_send else ())
    found: list[Answer] = []
    for each in mails:
        answer = each if isinstance(each, Answer) else next(sent, None)
        if answer is None:
            break
        found.append(answer)
    return found


def _send_hooks(sender: HookSender, hooks: Sequence[Hook | Answer]) -> list[Answer]:
    """One after the other; after the first that is not taken the others wait for its next try."""
    answers: list[Answer] = []
    end = time.monotonic() + SECONDS_A_RUN
    for each in hooks:
        answers.append(each if isinstance(each, Answer) else sender.send(each))
        refused = not answers[-1].delivered and not answers[-1].final
        if refused or time.monotonic() > end:
            break
    return answers
