"""`budget set|list|remove`: what is to be spent in a month at most."""

from __future__ import annotations

from typing import Any

from tests.acceptance.conftest import prepare
from tests.support.calls import call
from tests.support.program import Program

ANA = "ana@contoso.com"


def _this_month(budget: dict[str, Any]) -> tuple[str | None, str, str, bool]:
    return budget["user"], budget["spent"], budget["remaining"], budget["hard"]


def _now(program: Program) -> str:
    """The running month's name."""
    month: str = program("budget", "set", "contoso", "--amount", "100")["month"]
    program("budget", "remove", "contoso")
    return month


def test_a_budget_counts_what_was_spent_before_it_and_after(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    start = f"{_now(program)}-01T00:00:00Z"
    program(
        "ingest", program.write("usage", call("u-1", started_at=start) + call("u-2", started_at="2026-01-05T00:00:00Z"))
    )
    whole = program("budget", "set", "contoso", "--amount", "100")
    assert _this_month(whole) == (None, "0.3000", "99.7000", False)
    own = program("budget", "set", "contoso", "--user", "ANA@contoso.com", "--amount", "0.5", "--hard")
    assert _this_month(own) == ("ANA@contoso.com", "0.3000", "0.2000", True)
    program(
        "ingest", program.write("usage", call("u-3", started_at=start) + call("u-4", started_at=start, user_id="bob@x"))
    )
    shown = program("budget", "list", "contoso")
    assert {_this_month(each) for each in shown} == {
        (None, "0.9000", "99.1000", False),
        (ANA, "0.6000", "-0.1000", True),
    }
    assert program("explain", "u-3")["proof"]["flags"] == ["over_limit"]
    assert "over_limit" not in program("explain", "u-4")["proof"]["flags"]
    program("usage", "reverse", "u-3", "--reason", "x")
    assert {_this_month(each)[1] for each in program("budget", "list", "contoso")} == {"0.6000", "0.3000"}


def test_a_budget_is_changed_and_removed(contoso: Program) -> None:
    assert contoso("budget", "list", "contoso") == []
    contoso("budget", "set", "contoso", "--amount", "10")
    changed = contoso("budget", "set", "contoso", "--amount", "20", "--hard")
    assert (changed["amount"], changed["hard"], len(contoso("budget", "list", "contoso"))) == ("20.0000", True, 1)
    assert contoso("budget", "remove", "contoso") == {"account": "contoso", "user": None}
    assert contoso("budget", "list", "contoso") == []


def test_a_user_who_never_called_may_have_one(contoso: Program) -> None:
    new = contoso("budget", "set", "contoso", "--user", "new@contoso.com", "--amount", "5")
    assert (new["user"], new["spent"]) == ("new@contoso.com", "0.0000")
    contoso("budget", "remove", "contoso", "--user", "NEW@contoso.com")


def test_what_cannot_be_is_refused(contoso: Program) -> None:
    assert contoso.refused(2, "budget", "set", "contoso", "--amount", "-1")["field"] == "amount"
    assert contoso.refused(2, "budget", "set", "contoso", "--amount", "0.00001")["field"] == "amount"
    assert contoso.refused(2, "budget", "set", "contoso")["field"] == "amount"
    assert contoso.refused(3, "budget", "set", "nobody", "--amount", "1")["code"] == "unknown_account"
    assert contoso.refused(3, "budget", "list", "nobody")["code"] == "unknown_account"
    assert contoso.refused(3, "budget", "remove", "contoso")["code"] == "budget_not_set"
    assert contoso.refused(3, "budget", "remove", "contoso", "--user", "nobody@x")["code"] == "unknown_user"
    assert contoso.refused(3, "budget", "remove", "contoso", "--user", ANA)["code"] == "budget_not_set"
    assert contoso.refused(3, "budget", "remove", "nobody", "--user", ANA)["code"] == "unknown_account"
    contoso("account", "close", "contoso")
    assert contoso.refused(5, "budget", "set", "contoso", "--amount", "1")["code"] == "account_closed"
