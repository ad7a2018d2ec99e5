"""`work` is killed at every step of making and delivering notices: each is there once, none is lost, and who is told of
it, by a real mail server or a real HTTP server, is told under one and the same id.
"""

from __future__ import annotations

import os
import random
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from commcredits.bootstrap import now
from commcredits.sandbox.postgres import PostgresServer
from commcredits.sandbox.stripe.server import StripeSandbox
from domain.months import DAY, SECOND
from tests.support.consumers import Process
from tests.support.receivers import MailBox, Receiver, mail_server, receiver
from tests.support.shop import PARTS, Shop, money
from tests.support.waiting import wait_until

ROUNDS = int(os.environ.get("COMMCREDITS_SOAK_ROUNDS", "3"))
EVERY_CASE = 50  # rounds from which on nothing is left out

NOTHING_SENT = (
    *("before NoticeModel.write", "after NoticeModel.write"),  # what the log has caused, before its commit
    *("before notice_look.put_notices", "after notice_look.put_notices"),  # what the time has caused, the same
    *("before Notices.hand_out", "before outbox.hand_over", "after outbox.hand_over", "after outbox.hand_over 2"),
    *("after Notices.hand_out", "before outbox.claim", "after outbox.claim", "after Notices._claim"),
)
# one channel's are under way while the other's are begun, or booked
PERHAPS_SENT = ("before SmtpServer._send", "before Webhooks.send", "after Notices._book")
SENT = (
    *("after SmtpServer._send", "after SmtpServer._send 2", "after Webhooks.send", "after Webhooks.send 2"),
    *("before Notices._book", "before outbox.book", "after outbox.book", "after outbox.book 2"),
)
RECORDED = ("after Notices.deliver",)

TOLD = ["balance.low", "credit.expiring", "recharge.succeeded"]
PEOPLE = {"ana": "en", "bor": "sl"}


class Told:
    """A shop whose notices go to a mail server and to an HTTP server."""

    def __init__(self, shop: Shop, mail: MailBox, hook: Receiver) -> None:
        self.shop, self._mail, self.hook = shop, mail, hook
        shop.engine.recipients.add_webhook(f"{hook.url}/all", "", (), now())

    def begin(self, account: str) -> None:
        """Three notices are to come: of an event that is there, of one that `work` brings about, and of the time."""
        shop, since = self.shop, now() - 3600 * SECOND
        shop.time = since
        shop.open(account)
        for person, language in PEOPLE.items():
            shop.engine.recipients.tell(account, f"{person}@{account}.example", language, (), since)
        shop.engine.recipients.add_webhook(f"{self.hook.url}/{account}", account, (), since)
        shop.grant("40", account, expires_at=since + 60 * DAY + 60 * SECOND)
        shop.engine.administration.set_low_balance(shop.by(), account, money("45"))
        shop.arm(account)
        shop.time = None

    def start(self, *arguments: str, kill: str) -> Process:
        """`work`, until it dies there."""
        reach = {"SMTP_URL": self._mail.url, "WEBHOOK_ALLOW": "127.0.0.0/8"}
        return self.shop.start("work", *arguments, module="tests.support.killing", KILL=kill, **reach)

    def finish(self, account: str) -> None:
        """`work --once`, until what the dead one had claimed is free again and done."""

        def finished() -> bool:
            self.shop.finish(parts=(*PARTS, "notices"))
            return self.all_delivered(account)

        wait_until(finished, what="what a dead process had claimed is delivered")

    def all_delivered(self, account: str) -> bool:
        """Whether all that is to be told is there, and has arrived as far as we know."""
        listed = self.shop.engine.recipients.notices(account, 100)
        return len(listed) == len(TOLD) and all(
            each.deliveries and all(one.status == "delivered" for one in each.deliveries) for each in listed
        )

    def check(self, account: str) -> int:
        """Every notice once and delivered to everybody; answers how many the receivers saw a second time."""
        listed = self.shop.engine.recipients.notices(account, 100)
        assert sorted(each.notice.kind for each in listed) == TOLD
        deliveries = [one for each in listed for one in each.deliveries]
        assert [one.attempts for one in deliveries] == [1] * len(deliveries)
        ids = {each.notice.id for each in listed}
        mails = Counter((mail["To"], mail["Message-ID"]) for mail in self._mail.mails)
        posts = Counter((post.path, post.headers["webhook-id"]) for post in self.hook.posts)
        assert len(mails) == len(ids) * len(PEOPLE)
        told = {(to.partition("@")[0], message.strip("<").partition(".")[0]) for to, message in mails}
        assert told == {(person, each) for person in PEOPLE for each in ids}
        assert posts.keys() == {(f"/hook/{of}", each) for of in (account, "all") for each in ids}
        assert len(deliveries) == len(mails) + len(posts)
        seen = [*mails.values(), *posts.values()]
        assert max(seen) <= 2
        self._mail.mails.clear()
        self.hook.posts.clear()
        return sum(seen) - len(seen)


@contextmanager
def told_at(store_url: str, sandbox: StripeSandbox, folder: Path) -> Iterator[Told]:
    """With receivers of its own."""
    with mail_server() as mail, receiver() as hook:
        reach = {"smtp_url": mail.url, "webhook_allow": ("127.0.0.0/8",)}
        with closing(Shop(store_url, sandbox, folder, **reach)) as shop:
            yield Told(shop, mail, hook)


@pytest.fixture
def told(store_url: str, stripe_sandbox: StripeSandbox, tmp_path: Path) -> Iterator[Told]:
    """On each kind of store."""
    with told_at(store_url, stripe_sandbox, tmp_path) as told:
        yield told


def sample(shop: Shop) -> list[str]:
    """All steps, or some, others on each store."""
    groups = (NOTHING_SENT, SENT, PERHAPS_SENT + RECORDED)
    if ROUNDS >= EVERY_CASE:
        return [step for group in groups for step in group]
    chosen = random.Random(shop.settings.store.partition(":")[0])
    return [step for group in groups for step in chosen.sample(group, ROUNDS // 3)]


def test_work_killed_at_each_step_of_its_notices(told: Told) -> None:
    for step in sample(told.shop):
        account = "-".join(re.findall("[a-z0-9]+", step.lower()))
        told.begin(account)
        killed = told.start("--once", kill=step)
        code, _ = killed.result()
        assert code == -signal.SIGKILL, (step, code, killed.told())
        told.finish(account)

        seen_again = told.check(account)
        assert step in PERHAPS_SENT or (seen_again > 0) == (step in SENT), (step, seen_again)
    told.shop.check()


@pytest.mark.parametrize("ending", ["crash", "kill"])
def test_a_database_killed_while_somebody_is_told(
    own_postgres: Callable[..., PostgresServer], stripe_sandbox: StripeSandbox, tmp_path: Path, ending: str
) -> None:
    """What was answered cannot be recorded; `work` goes on by itself, and tells it again under the same id."""
    server, killed = own_postgres(fsync=True), threading.Event()
    endings = iter([getattr(server, ending)])

    def answer(handler: BaseHTTPRequestHandler) -> int:
        for end in endings:
            end()
            killed.set()
        return 200

    with told_at(server.dsn, stripe_sandbox, tmp_path) as told:
        told.begin("contoso")
        told.hook.answer = answer
        process = told.start(kill="before never")
        assert killed.wait(30), process.told()
        wait_until(lambda: process.told().count("trouble, trying again") == 2, what="money and notices to feel it")
        server.start()
        wait_until(lambda: told.all_delivered("contoso"), what="all is delivered")

        assert process.end()[0] == 0, process.told()
        assert told.check("contoso") > 0
        told.shop.check()
