"""The worked example of domain/README.md is what the domain decides."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from domain.account import CreditAccount
from domain.events import Limits, UsageDebited
from domain.named import proof_view
from domain.rating import recompute
from tests.support.given import CREDITS, debit, deck, fund, license_user, opened, rate, usage

README = Path(__file__).parents[3] / "domain" / "README.md"
RATES = deck(rate("38641", "0.0900", fee="0.0300"))
START = "2026-11-22T10:00:00Z"


def _given() -> CreditAccount:
    account = opened(country="SI")
    fund(account, "0.0500")
    fund(account, "100")
    license_user(account, "ana", "MCOPSTNPP", CREDITS, "SI")
    license_user(account, "ana", "MCOPSTN5", Limits("domestic", True, 120, 0, 0), "SI")
    debit(account, usage("+38641555017", 118 * 60, usage_id="u-0", start=START), rates=RATES)
    return account


def _numbers(value: Any) -> Any:
    """Amounts by their value, however many zeros they are written with."""
    match value:
        case dict():
            return {name: _numbers(item) for name, item in value.items()}
        case list() | tuple():
            return [_numbers(item) for item in value]
        case str() if re.fullmatch(r"[0-9]+\.?[0-9]*", value):
            return Decimal(value)
    return value


def test_the_worked_example_shows_the_debit_as_it_is_decided() -> None:
    event = debit(_given(), usage("+38641555017", 200, start=START), rates=RATES)
    view = {"amount": event.amount, "balance": event.balance, "proof": proof_view(event.proof, event.flags)}
    [shown] = re.findall(r"```json\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert _numbers(view) == _numbers(json.loads(shown))


def test_the_amount_follows_from_the_proof_alone() -> None:
    proof = _debit_without_pool().proof
    assert proof is not None
    assert recompute(proof.connection_fee, proof.slots, proof.decimals, proof.rounding) == Decimal("0.3900")
    assert "0.03 + 0.09 × 240 ÷ 60 = 0.3900" in README.read_text(encoding="utf-8")


def _debit_without_pool() -> UsageDebited:
    account = opened()
    fund(account, "100")
    return debit(account, usage("+38641555017", 200, start=START), rates=RATES)
