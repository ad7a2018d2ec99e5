"""What is put in when a notice leaves: our link, the user's name as it is known now, the account's name and zone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from application.links import PAY
from domain import commands, methods, payments
from domain.account import CreditAccount
from domain.commands import Level
from domain.events import Event
from domain.recharge import POLICY
from tests.integration.notices.conftest import World

Decide = Callable[[CreditAccount], Sequence[Event]]


def append(world: World, decide: Decide) -> CreditAccount:
    return world.engine.appender.append("contoso", decide)[0]


def action_required(world: World) -> str:
    """A recharge that the bank wants to have confirmed; answers it."""
    by = world.by()
    append(world, lambda a: methods.add_card(a, by, "stripe", "cus-1", "tok-1", "visa", "4242", 203012))
    level = Level(amount=Decimal("50.0000"), below=Decimal("10.0000"))
    account = append(world, lambda a: commands.set_recharge(a, by, level, POLICY.minimum))
    of = account.recharge.recharge_id
    append(world, lambda a: payments.payment_created(a, by, of, "stripe", "pi-1"))
    append(world, lambda a: payments.payment_tried(a, by, of, False))
    append(world, lambda a: payments.payment_action_required(a, by, of, world.now + 3_600_000_000))
    return of


def test_who_is_to_confirm_a_recharge_gets_our_link(world: World) -> None:
    world.tell("ana@contoso.com")
    world.add_webhook()
    of = action_required(world)
    world.run()

    link = world.engine.links.url(PAY, "contoso", of)
    [post] = world.hook.posts
    assert post.json["type"] == "recharge.action_required"
    assert (post.json["data"]["action_url"], post.json["data"]["recharge"]) == (link, of)
    text, html = world.mail.parts()
    assert link in text
    assert f'<a href="{link}">' in html
    [listed] = world.engine.recipients.notices("contoso", 10)
    assert "action_url" not in listed.notice.facts  # it is made when it is needed, and kept nowhere


def test_a_user_is_named_by_the_name_that_is_known_when_it_leaves(world: World) -> None:
    world.add_webhook()
    world.engine.budgets.set(world.by(), "contoso", "ana@contoso.com", Decimal(100), False)
    with world.engine.store.transaction() as database:
        [[pseudonym]] = database.execute("SELECT pseudonym FROM users")
        facts = '{"user":"%s","month":"2026-11","amount":"1","spent":"1","hard":false,"currency":"EUR"}'
        for name, user in (("known", pseudonym), ("erased", "nobody-knows")):
            database.execute(
                "INSERT INTO notices (id, account, kind, occurred_at, position, facts) VALUES (?, ?, ?, ?, ?, ?)",
                (f"ntc-{name}", "contoso", "budget.80", world.now, 1_000_000, facts % user),
            )
    world.run()

    users = {post.json["data"]["notice"]: post.json["data"]["user"] for post in world.hook.posts}
    assert users == {"ntc-known": "ana@contoso.com", "ntc-erased": "nobody-knows"}
    listed = {each.notice.id: each.notice.facts["user"] for each in world.engine.recipients.notices("contoso", 10)}
    assert listed == users


def test_an_account_is_named_and_times_are_those_of_its_zone(small_world: World) -> None:
    world = small_world
    world.open("fabrikam", name="Fabrikam Inc.", time_zone="America/New_York")
    world.tell("bor@fabrikam.com", "fabrikam")
    world.engine.notices.run(world.now)
    world.fund(10, "fabrikam", expires_at=world.now + 60 * 86_400_000_000 + 60_000_000)
    world.pass_time(60)
    world.run()

    text, _ = world.mail.parts()
    assert "Account: Fabrikam Inc. (fabrikam)" in text
    assert "2027-01-21 05:01 (America/New_York)" in text
