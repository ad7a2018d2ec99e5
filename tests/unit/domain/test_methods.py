"""Ways to pay: the first is the default, a default that goes leaves the oldest other, nothing is added twice."""

from __future__ import annotations

import pytest

from domain import methods
from domain.errors import DomainError
from tests.support.given import by, do, names, opened
from tests.support.paying import MASTERCARD, VISA, card, invoice


def test_the_first_method_is_the_default_and_a_known_token_adds_nothing() -> None:
    account = opened()
    first = card(account)
    second = card(account, MASTERCARD)
    assert (first, second, account.default_method) == ("pm-2", "pm-3", "pm-2")
    assert methods.add_card(account, by(), "stripe", "cus-1", VISA, "visa", "4242", 203012) == []
    assert account.customers == {"stripe": "cus-1"}


def test_an_invoice_names_its_agreement() -> None:
    account = opened()
    method = account.methods[invoice(account)]
    assert (method.kind, method.agreement, method.purchase_order, method.token) == ("invoice", "EA-7", "PO-1", "")
    assert methods.add_invoice(account, by(), "EA-7", "PO-1") == []
    with pytest.raises(DomainError) as refused:
        methods.add_invoice(account, by(), "")
    assert refused.value.code == "invalid_agreement"


def test_another_default_is_written_once() -> None:
    account = opened()
    card(account)
    second = card(account, MASTERCARD)
    assert names(do(account, methods.default_method(account, by(), second))) == ["PaymentMethodDefaulted"]
    assert methods.default_method(account, by(), second) == []


def test_a_default_that_is_removed_leaves_the_oldest_other_and_the_last_leaves_none() -> None:
    account = opened()
    first, second, third = card(account), card(account, MASTERCARD), invoice(account)
    do(account, methods.remove_method(account, by(), first))
    assert (account.default_method, list(account.methods)) == (second, [second, third])
    assert names(methods.remove_method(account, by(), third)) == ["PaymentMethodRemoved"]
    do(account, methods.remove_method(account, by(), third))
    do(account, methods.remove_method(account, by(), second))
    assert (account.default_method, account.methods) == ("", {})
    assert methods.known_method(account, first) is account.former_methods[first]


def test_what_the_provider_says_of_a_card_is_written_when_it_is_new() -> None:
    account = opened()
    method = card(account)
    assert methods.update_method(account, by(), method, "visa", "4242", 203012) == []
    assert names(do(account, methods.update_method(account, by(), method, "visa", "4243", 203512))) == [
        "PaymentMethodUpdated"
    ]
    assert (account.methods[method].last4, account.methods[method].expires) == ("4243", 203512)


def test_a_customer_is_written_once() -> None:
    account = opened()
    assert names(do(account, methods.customer_created(account, by(), "stripe", "cus-1"))) == ["CustomerCreated"]
    assert methods.customer_created(account, by(), "stripe", "cus-1") == []


@pytest.mark.parametrize("decide", [methods.default_method, methods.remove_method])
def test_a_method_that_is_not_there_is_named(decide: type) -> None:
    account = opened()
    do(account, methods.remove_method(account, by(), card(account)))
    with pytest.raises(DomainError) as refused:
        decide(account, by(), "pm-2")
    assert (refused.value.code, refused.value.field) == ("unknown_method", "method")
