"""Our links: to the bank's page and back, to the page where a card is saved and back; an old one does no harm."""

from __future__ import annotations

import pytest

from application.links import PAY, SETUP
from application.visits import Link
from tests.support.shop import Shop, money


def token(url: str) -> str:
    return url.rsplit("/", 1)[1]


def waiting(shop: Shop) -> str:
    """The link of a recharge for which the bank asks for the customer."""
    shop.open(card="pm_card_authenticationRequired")
    shop.arm()
    shop.finish()
    recharge = shop.account().recharge
    assert recharge.state == "action_required"
    return token(shop.engine.links.url(PAY, "contoso", recharge.recharge_id))


def follow(shop: Shop, link: str) -> Link:
    return shop.engine.visits.open_link(shop.by(), link)


def payment(shop: Shop) -> str:
    """The provider's, of the one that is open."""
    return next(iter(shop.account().payments.values())).payment_id


def test_a_recharge_that_the_bank_asks_for_is_paid_by_the_customer_once(shop: Shop) -> None:
    link = waiting(shop)

    first = follow(shop, link)
    assert (first.kind, first.account, first.state) == ("pay", "contoso", "open")
    assert follow(shop, link) == first
    shop.control.authenticate(payment(shop))
    back = shop.engine.visits.returned(shop.by(), link)

    assert (back.state, back.url) == ("done", "")
    assert (shop.account().balance, shop.account().recharge.state) == (100, "armed")
    assert follow(shop, link).state == "done"
    shop.check()


def test_a_customer_who_does_not_come_back_has_paid_all_the_same(shop: Shop) -> None:
    link = waiting(shop)
    follow(shop, link)
    shop.control.authenticate(payment(shop))

    shop.finish()

    assert shop.account().balance == 100
    assert shop.engine.visits.returned(shop.by(), link).state == "done"
    shop.check()


def test_a_customer_who_cannot_confirm_is_told_so(shop: Shop) -> None:
    link = waiting(shop)
    follow(shop, link)
    shop.control.authenticate(payment(shop), succeed=False)

    back = shop.engine.visits.returned(shop.by(), link)

    assert (back.state, bool(back.message)) == ("failed", True)
    assert shop.account().balance == 0
    assert shop.charged() == {}


@pytest.mark.parametrize("how", ["switched off", "timed out", "closed"])
def test_a_link_opened_after_its_recharge_ended_pays_nothing(shop: Shop, how: str) -> None:
    link = waiting(shop)
    opened = follow(shop, link)
    bank = payment(shop)
    if how == "switched off":
        shop.engine.administration.recharge_off(shop.by(), "contoso")
    elif how == "closed":
        shop.engine.administration.close_account(shop.by(), "contoso")
    assert (follow(shop, link).state == "ended") == (how != "timed out")
    shop.finish(shop.by().now + 73 * 3600 * 1_000_000 if how == "timed out" else None)

    assert opened.url
    assert shop.control.authenticate(bank)["status"] == "canceled"  # the bank's page, still open in a browser
    for visit in (follow(shop, link), shop.engine.visits.returned(shop.by(), link)):
        assert (visit.state, visit.url) == ("ended", "")
    assert shop.charged() == {}
    assert shop.account().balance == 0
    shop.check()


def test_a_purchase_is_confirmed_with_the_bank(shop: Shop) -> None:
    shop.open(card="pm_card_authenticationRequired")
    bought = shop.engine.paying.buy(shop.by(), "contoso", money("50"))
    assert bought.state == "requires_action"
    assert bought.action_url.startswith("http://127.0.0.1:8080/pay/")

    assert follow(shop, token(bought.action_url)).state == "open"
    shop.control.authenticate(payment(shop))
    shop.engine.visits.returned(shop.by(), token(bought.action_url))

    assert shop.account().purchases[bought.purchase].state == "succeeded"
    shop.check()


def test_a_card_is_saved_on_the_providers_page_and_pays_what_waits(shop: Shop) -> None:
    shop.open(card="pm_card_chargeCustomerFail")
    shop.arm()
    shop.finish()
    assert shop.account().recharge.state == "retrying"
    link = token(shop.engine.links.url(SETUP, "contoso"))
    page = follow(shop, link)
    session = page.url.rsplit("/", 1)[1]
    assert shop.engine.visits.returned(shop.by(), link).state == "ended"
    shop.control.save_card(session, "pm_card_mastercard")

    for _ in range(2):
        back = shop.engine.visits.returned(shop.by(), link, session)
        assert (back.state, back.message) == ("done", "the card mastercard …4444 is saved")

    added = next(method for method in shop.account().methods.values() if method.brand == "mastercard")
    shop.engine.paying.default(shop.by(), "contoso", added.id)
    shop.finish()
    assert shop.account().balance == 100
    shop.check()


def test_a_session_of_another_account_saves_nothing_here(shop: Shop) -> None:
    shop.open()
    shop.open("fabrikam", card="")
    theirs = shop.engine.paying.add_link(shop.by(), "fabrikam").rsplit("/", 1)[1]
    shop.control.save_card(theirs)

    link = token(shop.engine.links.url(SETUP, "contoso"))

    assert shop.engine.visits.returned(shop.by(), link, theirs).state == "ended"
    assert len(shop.account().methods) == 1
