"""Authorization over HTTP: from memory, which follows the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from commcredits.sandbox.stripe.server import StripeSandbox
from tests.integration.api.conftest import TOKEN, furnish, import_rate, license_user
from tests.support.serving import Serving
from tests.support.shop import Shop
from tests.support.waiting import wait_until

CALL = {"callee": "+442071234567", "user_id": "ana@contoso.com"}
BEHIND_SECONDS = 0.1


def test_yes_and_no_are_answered_with_the_position(served: Serving) -> None:
    def answer(**call: Any) -> Any:
        reply = served.authorize("contoso", {**CALL, **call}, Authorization=f"Bearer {TOKEN}")
        assert reply.status == 200
        return reply.json

    position = served.get("/health/ready").json["position"]
    known = {"log": "main", "position": position, "spendable": "10.0000"}

    assert answer() == {
        "allowed": True, "reason": "ok", "max_seconds": 9960, "paid_from": ["credit"], "rate": "0.06", **known,
    }  # fmt: skip
    assert answer(user_id="bor@contoso.com") == {
        "allowed": False, "reason": "not_licensed", "max_seconds": 0, "paid_from": [], "rate": "0.06", **known,
    }  # fmt: skip
    assert answer(callee="112", call_type="emergency_out", user_id=None) == {
        "allowed": True, "reason": "emergency", "max_seconds": None, "paid_from": ["free"], "rate": None, **known,
    }  # fmt: skip
    assert answer(user_id=None)["reason"] == "not_licensed"
    assert answer(user_id=None, call_type="user_in", number_type="toll-free")["allowed"]
    assert answer(user_id="ANA@contoso.com", at="2026-11-01T10:00:00+01:00")["allowed"]


def test_what_happens_is_known_a_tenth_of_a_second_later(
    shop_on_each_store: Shop, stripe_sandbox: StripeSandbox
) -> None:
    shop = shop_on_each_store
    furnish(shop)
    serving = Serving(shop)

    def is_known(**expected: Any) -> float:
        """How long it took until the answer is this."""
        begun, position = time.monotonic(), shop.engine.store.max_position()

        def known() -> bool:
            answer = serving.authorize("contoso", CALL).json
            return bool(answer["position"] >= position and {**answer, **expected} == answer)

        wait_until(known, what=str(expected))
        return time.monotonic() - begun

    took = []
    for euros in range(11, 16):
        shop.grant("1")
        took.append(is_known(spendable=f"{euros}.0000"))
    assert sorted(took)[1] < BEHIND_SECONDS, took  # the machine may be busy with something else

    import_rate(shop, "0.12")
    is_known(rate="0.12")
    shop.engine.administration.close_account(shop.by(), "contoso")
    is_known(allowed=False, reason="account_closed")


def test_accounts_and_users_that_came_later_are_loaded_when_asked_for(
    shop: Shop, serve: Callable[..., Serving]
) -> None:
    serving = serve()
    stranger = {**CALL, "user_id": "new@contoso.com"}

    assert serving.authorize("fabrikam", CALL).status == 404
    assert serving.authorize("contoso", stranger).json["reason"] == "not_licensed"
    shop.open("fabrikam", card="")
    license_user(shop.engine, shop.by(), "new@contoso.com")

    assert serving.authorize("fabrikam", CALL).json["reason"] == "not_licensed"
    wait_until(lambda: serving.authorize("contoso", stranger).json["allowed"], what="the new user is known")


def test_more_accounts_than_there_is_room_for_are_answered_too(shop: Shop, serve: Callable[..., Serving]) -> None:
    for number in range(5):
        shop.open(f"more-{number}", card="")
    serving = serve(CACHE_ACCOUNTS="2")

    for _ in range(2):
        for number in range(5):
            assert serving.authorize(f"more-{number}", CALL).json["reason"] == "not_licensed"
        assert serving.authorize("contoso", CALL).json["allowed"]
