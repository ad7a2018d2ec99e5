"""What a decline means: whether the card may be tried again, and what an admin is told of it."""

from collections.abc import Mapping
from typing import Any, Final

from application.payments import Decline

AUTHENTICATION: Final = "authentication_required"
# the provider's advice decides, where it gives one
_ADVICE: Final = {"try_again_later": False, "do_not_try_again": True, "confirm_card_data": True}
_HARD: Final = frozenset(
    "lost_card stolen_card pickup_card restricted_card fraudulent merchant_blacklist security_violation expired_card "
    "incorrect_number invalid_number invalid_account new_account_information_available revocation_of_authorization "
    "revocation_of_all_authorizations stop_payment_order transaction_not_allowed not_permitted card_not_supported "
    "currency_not_supported".split()
)
# whoever holds the card must not learn these: it may be the thief; the log keeps the code
_SECRET: Final = frozenset("lost_card stolen_card pickup_card fraudulent merchant_blacklist security_violation".split())
_UNNAMED: Final = "card_declined"
BANK_DECLINED: Final = "The bank declined the card."


def decline_of(error: Mapping[str, Any]) -> Decline:
    """From the provider's error object: `code`, `decline_code`, `advice_code`, `message`."""
    code = error.get("decline_code") or error.get("code") or _UNNAMED
    advice = error.get("advice_code") or ""
    hard = _ADVICE.get(advice, code in _HARD)
    message = "" if code in _SECRET else error.get("message")
    return Decline(code, advice, hard, message or BANK_DECLINED)


def asks_for_customer(error: Mapping[str, Any]) -> bool:
    """Whether the bank wants the customer to confirm (3-D Secure) what was asked without them."""
    return AUTHENTICATION in (error.get("code"), error.get("decline_code"))
