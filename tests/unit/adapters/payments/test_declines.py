"""What a decline means: payments.md, "Declines"."""

import pytest

from adapters.payments.declines import asks_for_customer, decline_of

HARD = (
    "lost_card stolen_card pickup_card restricted_card fraudulent merchant_blacklist security_violation expired_card "
    "incorrect_number invalid_number invalid_account new_account_information_available revocation_of_authorization "
    "revocation_of_all_authorizations stop_payment_order transaction_not_allowed not_permitted card_not_supported "
    "currency_not_supported"
).split()
SOFT = (
    "insufficient_funds generic_decline do_not_honor try_again_later issuer_not_available processing_error "
    "reenter_transaction card_velocity_exceeded call_issuer withdrawal_count_limit_exceeded one_of_tomorrow"
).split()


def error(code: str, advice: str = "", message: str = "What the bank says.") -> dict[str, str | None]:
    return {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": code,
        "advice_code": advice or None,
        "message": message,
    }


@pytest.mark.parametrize("code", HARD)
def test_a_hard_decline_is_never_tried_again_with_this_card(code: str) -> None:
    assert decline_of(error(code)).hard


@pytest.mark.parametrize("code", SOFT)
def test_all_others_are_soft(code: str) -> None:
    decline = decline_of(error(code))

    assert (decline.code, decline.hard, decline.message) == (code, False, "What the bank says.")


@pytest.mark.parametrize(
    ("code", "advice", "hard"),
    [
        ("insufficient_funds", "do_not_try_again", True),
        ("insufficient_funds", "confirm_card_data", True),
        ("expired_card", "try_again_later", False),
        ("expired_card", "advice_of_tomorrow", True),
        ("insufficient_funds", "advice_of_tomorrow", False),
    ],
)
def test_the_advice_decides_where_there_is_one(code: str, advice: str, hard: bool) -> None:
    decline = decline_of(error(code, advice))

    assert (decline.hard, decline.advice) == (hard, advice)


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "fraudulent", "pickup_card"])
def test_whoever_holds_a_stolen_card_learns_only_that_the_bank_declined(code: str) -> None:
    decline = decline_of(error(code, message=f"Your card was reported: {code}"))

    assert decline == (code, "", True, "The bank declined the card.")


def test_without_a_decline_code_the_errors_own_code_counts() -> None:
    assert decline_of({"code": "expired_card", "message": "Your card has expired."}) == (
        "expired_card", "", True, "Your card has expired.",
    )  # fmt: skip


@pytest.mark.parametrize("field", ["code", "decline_code"])
def test_a_bank_that_asks_for_the_customer_is_known(field: str) -> None:
    assert asks_for_customer({field: "authentication_required"})
    assert not asks_for_customer({field: "generic_decline"})
