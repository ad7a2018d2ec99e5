"""Money in while somebody waits: cards, top-ups and refunds at the sandbox; what it does not answer `work` finishes."""

from __future__ import annotations

import pytest

from application.links import Links
from application.paying import Paying
from application.payments import CardDeclined, ProviderEvent, ProviderRefused, ProviderUnavailable
from commcredits import pauses
from domain.errors import Invalid, NotFound, Refused
from domain.funding import Funds
from domain.months import DAY
from domain.payment_events import PaymentTried
from tests.support.shop import Shop, money

CONFIRM, CREATE = "/v1/payment_intents/*/confirm", "/v1/payment_intents"


@pytest.fixture
def paying(shop: Shop) -> Paying:
    shop.open()
    return shop.engine.paying


def test_a_top_up_is_bought_once_under_its_key(shop: Shop, paying: Paying) -> None:
    bought = paying.buy(shop.by(), "contoso", money("50"), key="k")
    again = paying.buy(shop.by(), "contoso", money("50"), key="k")

    assert (bought.state, bought.balance, bought.failure, bought.reachable) == ("succeeded", 50, "", True)
    assert again[1:] == bought[1:]
    with pytest.raises(Refused, match="key k has bought 50"):
        paying.buy(shop.by(), "contoso", money("60"), key="k")
    shop.check()


def test_a_card_that_declines_fails_the_purchase_and_nothing_is_owed(shop: Shop, paying: Paying) -> None:
    shop.control.card_answers("contoso", ["lost_card"])

    bought = paying.buy(shop.by(), "contoso", money("50"), key="k")

    assert (bought.state, bought.failure, bought.balance) == ("failed", "generic_decline", 0)
    assert "lost" not in bought.message
    assert shop.happened()[-1] == "PaymentCancelled"
    assert paying.buy(shop.by(), "contoso", money("50"), key="k").state == "failed"
    assert paying.buy(shop.by(), "contoso", money("50"), key="another").state == "succeeded"
    shop.check()


@pytest.mark.parametrize(
    ("path", "fault"), [(CREATE, "cut_after"), (CREATE, "error_after"), (CONFIRM, "cut_before"), (CONFIRM, "cut_after")]
)
def test_an_answer_that_is_lost_is_asked_for_again(shop: Shop, paying: Paying, path: str, fault: str) -> None:
    shop.control.fault(fault, path=path)

    assert paying.buy(shop.by(), "contoso", money("50")).state == "succeeded"

    shop.check()


@pytest.mark.parametrize("path", [CREATE, CONFIRM])
def test_what_the_provider_does_not_answer_is_finished_by_work(shop: Shop, paying: Paying, path: str) -> None:
    shop.control.fault("rate_limit", count=20, path=path)

    bought = paying.buy(shop.by(), "contoso", money("50"), key="k")
    assert (bought.state, bought.balance, bought.reachable) == ("processing", 0, False)
    shop.control.clear_faults()
    tally = shop.finish()

    assert (tally.done["purchases"], tally.unreachable) == (1, 0)
    assert paying.buy(shop.by(), "contoso", money("50"), key="k").state == "succeeded"
    shop.check()


def test_a_provider_that_stays_away_is_reported_by_work(
    shop: Shop, paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "FIRST_PAUSE_SECONDS", 0.01)
    shop.control.fault("rate_limit", count=1000, path=CREATE)
    paying.buy(shop.by(), "contoso", money("50"))

    assert shop.finish().unreachable == 1

    shop.control.clear_faults()
    assert shop.finish().unreachable == 0
    shop.check()


def test_past_a_day_a_payment_is_looked_up_before_anything_is_sent(shop: Shop, paying: Paying) -> None:
    shop.control.fault("rate_limit", count=20, path=CONFIRM)
    paying.buy(shop.by(), "contoso", money("50"))
    of = next(iter(shop.account().payments.values()))
    token = next(iter(shop.account().methods.values())).token
    shop.control.clear_faults()
    assert shop.engine.provider is not None
    shop.engine.provider.confirm(of.payment_id, token, False, "", "its answer was lost")
    shop.control.forget_keys()
    before = len(shop.control.requests())

    shop.finish(of.tried_at + 2 * DAY)

    asked = [(request["method"], request["path"]) for request in shop.control.requests()[before:]]
    assert asked == [("GET", f"/v1/payment_intents/{of.payment_id}")]
    assert shop.account().balance == 50
    shop.check()


def test_money_that_came_otherwise_ends_a_recharge_once_its_payment_is_cancelled(shop: Shop) -> None:
    shop.open(card="pm_card_chargeCustomerFail")
    shop.arm(amount="100", below="50")
    shop.finish()
    recharge = shop.account().recharge
    assert recharge.state == "retrying"

    funded = shop.engine.paying.add_funds(shop.by(), "contoso", Funds(money("100"), recharge_id=recharge.recharge_id))

    assert (funded.account.recharge.state, funded.account.balance) == ("armed", 100)
    assert shop.happened()[-2:] == ["PaymentCancelled", "FundsAdded"]
    assert shop.charged() == {}


def test_money_is_refused_for_a_recharge_whose_charge_the_bank_works_on(shop: Shop, paying: Paying) -> None:
    shop.control.card_answers("contoso", ["processing"])
    shop.arm(amount="100", below="50")
    shop.finish()
    of = shop.account().recharge.recharge_id

    with pytest.raises(Refused) as refused:
        paying.add_funds(shop.by(), "contoso", Funds(money("100"), recharge_id=of))

    assert refused.value.code == "recharge_in_progress"
    shop.control.settle(shop.account().payments[of].payment_id)
    shop.finish()
    assert shop.account().balance == 100
    shop.check()


def test_a_refund_leaves_the_lot_at_once_and_returns_when_it_fails(shop: Shop, paying: Paying) -> None:
    shop.control.refunds_are("pending")
    lot = next(iter(paying.buy(shop.by(), "contoso", money("80")).account.lots))

    sent = paying.refund(shop.by(), "contoso", lot, money("30"), "k")
    assert (sent.state, sent.balance, sent.amount) == ("processing", 50, 30)
    assert paying.refund(shop.by(), "contoso", lot, money("30"), "k")[1:] == sent[1:]
    provider_refund = shop.account().refunds[sent.refund].provider_refund
    shop.control.settle_refund(provider_refund, "failed")
    shop.finish()

    assert shop.account().balance == 80
    assert shop.account().lots[lot].remaining == 80
    assert paying.refund(shop.by(), "contoso", lot, money("30"), "k").state == "failed"


def test_a_refund_whose_answer_is_lost_is_made_once(shop: Shop, paying: Paying) -> None:
    lot = next(iter(paying.buy(shop.by(), "contoso", money("80")).account.lots))
    shop.control.fault("rate_limit", count=20, path="/v1/refunds")

    refunded = paying.refund(shop.by(), "contoso", lot)
    assert (refunded.state, refunded.amount, refunded.reachable) == ("processing", 80, False)
    shop.control.clear_faults()
    shop.control.fault("cut_after", path="/v1/refunds")
    shop.finish()

    assert shop.account().refunds[refunded.refund].state == "succeeded"
    shop.check()


def test_a_card_is_added_removed_and_added_again(shop: Shop) -> None:
    shop.open(card="")
    paying = shop.engine.paying
    _, first = paying.add_card(shop.by(), "contoso", "pm_card_visa")
    paying.remove(shop.by(), "contoso", first)
    with pytest.raises(Refused, match="no payment method"):
        paying.buy(shop.by(), "contoso", money("50"))

    account, second = paying.add_card(shop.by(), "contoso", "pm_card_visa")

    assert (account.default_method, first != second) == (second, True)
    assert paying.buy(shop.by(), "contoso", money("50")).state == "succeeded"


def test_a_card_whose_end_the_provider_told_of_first_is_removed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    method = shop.open()
    provider, events = shop.engine.provider, shop.engine.provider_events
    assert provider is not None
    detach = provider.detach

    def told_at_once(token: str) -> None:
        detach(token)
        events.take(ProviderEvent("evt_1", "method", token, "contoso", ""))

    monkeypatch.setattr(provider, "detach", told_at_once)

    assert shop.engine.paying.remove(shop.by(), "contoso", method).methods == {}
    assert shop.happened().count("PaymentMethodRemoved") == 1


def test_a_card_that_cannot_be_saved_says_why(shop: Shop) -> None:
    shop.open(card="")
    with pytest.raises(CardDeclined):
        shop.engine.paying.add_card(shop.by(), "contoso", "pm_card_chargeDeclinedExpiredCard")
    with pytest.raises(ProviderRefused) as refused:
        shop.engine.paying.add_card(shop.by(), "contoso", "pm_card_authenticationRequiredOnSetup")
    assert refused.value.code == "authentication_required"
    assert shop.account().methods == {}


def test_an_account_that_pays_by_invoice_waits_for_the_money(shop: Shop) -> None:
    shop.open(card="")
    paying = shop.engine.paying
    account, invoice = paying.add_invoice(shop.by(), "contoso", "EA-7", "PO-1")
    assert (account.default_method, paying.add_invoice(shop.by(), "contoso", "EA-7", "PO-1")[1]) == (invoice, invoice)

    bought = paying.buy(shop.by(), "contoso", money("500"))
    assert (bought.state, bought.reachable, shop.finish().unreachable) == ("processing", True, 0)
    paying.add_funds(shop.by(), "contoso", Funds(money("500"), purchase_id=bought.purchase))

    assert shop.account().purchases[bought.purchase].state == "succeeded"
    assert shop.charged() == {}


def test_what_cannot_be_bought_is_refused_before_it_is_on_the_log(shop: Shop, paying: Paying) -> None:
    for amount, method, error, code in (
        ("49", "", Refused, "below_minimum"),
        ("50.5", "", Invalid, "invalid_amount"),
        ("-50", "", Invalid, "invalid_amount"),
        ("50", "pm-99", NotFound, "unknown_method"),
        ("99999999999", "", Refused, "amount_too_large"),
    ):
        with pytest.raises(error) as refused:
            paying.buy(shop.by(), "contoso", money(amount), method)
        assert refused.value.code == code, amount
    assert "PurchaseRequested" not in shop.happened()


def test_without_a_provider_only_invoices_are_possible(shop: Shop, paying: Paying) -> None:
    alone = shop.another()
    alone.__dict__["provider"] = None

    with pytest.raises(Refused) as refused:
        alone.paying.buy(shop.by(), "contoso", money("50"))
    assert refused.value.code == "no_provider"
    with pytest.raises(Refused):
        alone.paying.add_link(shop.by(), "contoso")
    alone.close()


def test_a_provider_that_cannot_be_reached_changes_no_method(shop: Shop) -> None:
    method = shop.open()
    shop.control.fault("cut_before", count=20, method="*")

    with pytest.raises(ProviderUnavailable):
        shop.engine.paying.remove(shop.by(), "contoso", method)

    assert method in shop.account().methods


def test_one_of_two_who_make_the_same_try_makes_it(shop: Shop, paying: Paying) -> None:
    other = shop.another()
    paying.buy(shop.by(), "contoso", money("50"), key="k")
    bought = other.paying.buy(shop.by(), "contoso", money("50"), key="k")
    other.close()

    assert bought.state == "succeeded"
    assert sum(isinstance(event, PaymentTried) for event in shop.events()) == 1


@pytest.mark.parametrize("token", ["", "x", "AAAA", "é", "A" * 5000])
def test_a_link_that_was_not_made_here_leads_nowhere(token: str) -> None:
    links = Links(lambda data: data[:16].ljust(16), "https://credits.example")

    with pytest.raises(NotFound) as refused:
        links.read(token)

    assert refused.value.code == "unknown_link"
