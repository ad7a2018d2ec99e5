"""`work` is killed after every step of a recharge, a purchase and a refund, while the provider misbehaves: each is paid
for once, and the provider's ledger and ours agree to the cent.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
from typing import NamedTuple

from domain.events import AutoRechargeTriggered, FundsAdded
from domain.purchases import request_purchase
from domain.refunds import request_refund
from tests.support.shop import Shop, money
from tests.support.waiting import wait_until

ROUNDS = int(os.environ.get("COMMCREDITS_SOAK_ROUNDS", "3"))
EVERY_CASE = 50  # rounds from which on nothing is left out

FAULTS = ("", "error_before", "error_after", "cut_before", "cut_after", "late", "rate_limit")
COMMON = ("after write", "after take")
CHARGED = (
    *("before create_payment", "after create_payment", "before PaymentCreated", "after PaymentCreated"),
    *("before PaymentTried", "after PaymentTried", "after confirm", "before FundsAdded", "after FundsAdded"),
    *("before release", "after release"),
)
REFUNDED = ("before refund", "after refund", "before RefundSent", "after RefundSent", "after release")
STEPS = {
    "recharge": (*COMMON, *CHARGED),
    "purchase": (*COMMON, *CHARGED),
    "refund": (*COMMON, *REFUNDED),
    # the command itself, as somebody waits for it
    "funds buy": ("before PurchaseRequested", "after PurchaseRequested", *CHARGED),
    "funds refund": ("before RefundRequested", "after RefundRequested", *REFUNDED),
}
CHARGES = ("/v1/payment_intents", "/v1/payment_intents/*/confirm")
PATHS = {story: ("/v1/refunds",) if "refund" in story else CHARGES for story in STEPS}


class Case(NamedTuple):
    """Killed at a step of a story, while the requests of a path meet a fault once."""

    story: str
    step: str
    fault: str
    path: str


CASES = [
    Case(story, step, fault, path)
    for story in STEPS
    for step, fault in itertools.product(STEPS[story], FAULTS)
    for path in (PATHS[story] if fault else PATHS[story][:1])
    if not (fault == "rate_limit" and story.startswith("funds"))  # the command ends there by itself: exit 4
]


def sample(shop: Shop) -> list[Case]:
    """All of them, or some, others on each store."""
    if ROUNDS >= EVERY_CASE:
        return CASES
    chosen = random.Random(shop.settings.store.partition(":")[0])
    return [case for story in STEPS for case in chosen.sample([c for c in CASES if c.story == story], ROUNDS // 3)]


def begin(shop: Shop, account: str, story: str) -> tuple[str, ...]:
    """What is to be done is on the log, unless it is the command that puts it there; answers the command to kill."""
    shop.open(account)
    append, by = shop.engine.appender.append, shop.by()
    match story:
        case "recharge":
            shop.arm(account)
        case "purchase":
            buy(shop, account, "key")
        case "refund":
            lot = bought_lot(shop, account)
            append(account, lambda now: request_refund(now, by, lot, money("30"), "key"))
        case "funds buy":
            return ("funds", "buy", account, "50", "--key", "key")
        case _:
            lot = bought_lot(shop, account)
            return ("funds", "refund", account, lot, "--amount", "30", "--key", "key", "--reason", "asked for")
    return ("work", "--once")


def again(shop: Shop, account: str, story: str) -> None:
    """Whoever gave the command gives it once more."""
    paying, by = shop.engine.paying, shop.by()
    if story == "funds buy":
        assert paying.buy(by, account, money("50"), key="key").state == "succeeded"
    if story == "funds refund":
        lot = next(iter(shop.account(account).lots))
        assert paying.refund(by, account, lot, money("30"), "key").state == "succeeded"


def bought_lot(shop: Shop, account: str) -> str:
    """80 that came by card."""
    return next(iter(shop.engine.paying.buy(shop.by(), account, money("80")).account.lots))


def buy(shop: Shop, account: str, key: str) -> None:
    """As the command does that is killed before it has asked the provider for anything."""
    by = shop.by()
    shop.engine.appender.append(account, lambda now: request_purchase(now, by, money("50"), "", key, money("50")))


def test_work_killed_at_each_step(shop_on_each_store: Shop) -> None:
    shop = shop_on_each_store
    for number, case in enumerate(sample(shop)):
        account = f"a{number}"
        command = begin(shop, account, case.story)
        if case.fault:
            shop.control.fault(case.fault, path=case.path, seconds=0.2)

        killed = shop.start(*command, module="tests.support.killing", KILL=case.step)
        code, _ = killed.result()
        assert code == -signal.SIGKILL, (case, code, killed.told())
        shop.finish()
        again(shop, account, case.story)
        shop.control.clear_faults()

        assert shop.account(account).balance == money("100" if case.story == "recharge" else "50"), case
    shop.check()


def test_two_processes_at_work_and_one_killed_again_and_again(shop_on_each_store: Shop) -> None:
    shop = shop_on_each_store
    instants = random.Random(7)
    accounts = [f"a{number}" for number in range(4)]
    for account in accounts:
        shop.open(account)
        shop.arm(account, amount="50", below="50")
    survivor, kills, bought = shop.start("work"), 0, 0
    shop.control.latency(0.02, rate_limit_every=7)

    while kills < ROUNDS // 3:
        doomed = shop.start("work", module="tests.support.killing", KILL="before never")
        for account in accounts:
            buy(shop, account, f"key-{bought}")
        bought += 1
        doomed.kill(after_seconds=instants.uniform(0.3, 0.8))
        kills += doomed.process.returncode == -signal.SIGKILL

    wait_until(lambda: not any(shop.account(account).payments for account in accounts), what="all are credited")
    assert survivor.end()[0] == 0
    for account in accounts:
        recharged = sum(isinstance(each, FundsAdded) and each.recharge_id != "" for each in shop.events(account))
        assert shop.account(account).balance == money("50") * (bought + recharged)
        assert sum(isinstance(event, AutoRechargeTriggered) for event in shop.events(account)) == 1
    shop.check()
