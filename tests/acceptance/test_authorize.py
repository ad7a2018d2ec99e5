"""`authorize`, `forecast` and `recharge simulate` as an admin types them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from tests.support.program import Program

UK, MOBILE = "+442071234567", "+447700900123"


def test_a_call_is_allowed_with_what_pays_it_and_how_long(contoso: Program) -> None:
    answer = contoso("authorize", "contoso", UK, "--user", "ana@contoso.com")

    position = answer.pop("position")
    assert position > 0
    assert answer == {
        "allowed": True, "reason": "ok", "max_seconds": 300_000, "paid_from": ["credit"], "rate": "0.02",
        "spendable": "100.0000", "log": "main",
    }  # fmt: skip


def test_yes_and_no_are_both_exit_0(contoso: Program) -> None:
    def reason(*arguments: str) -> str:
        found: str = contoso("authorize", "contoso", *arguments)["reason"]
        return found

    assert reason(UK) == "not_licensed"
    assert reason(UK, "--user", "nobody@contoso.com") == "not_licensed"
    assert reason("+7495", "--user", "ana@contoso.com") == "no_rate"
    assert reason("112", "--call-type", "emergency_out") == "emergency"
    assert reason("+44800", "--call-type", "user_in", "--number-type", "toll-free") == "ok"
    contoso("budget", "set", "contoso", "--amount", "0.01", "--hard")
    assert reason(UK, "--user", "ana@contoso.com") == "budget_exhausted"
    contoso("account", "close", "contoso")
    assert reason(UK, "--user", "ana@contoso.com", "--at", "2026-11-22") == "account_closed"


def test_what_cannot_be_asked_is_refused(contoso: Program) -> None:
    assert contoso.refused(3, "authorize", "fabrikam", UK)["code"] == "unknown_account"
    assert contoso.refused(2, "authorize", "contoso", "44 20")["field"] == "number"
    assert contoso.refused(2, "authorize", "contoso", UK, "--call-type", "user_outt")["field"] == "call_type"


def use(program: Program, days: int) -> None:
    """A call of 1 EUR a day, up to yesterday."""
    today = datetime.fromisoformat(program("balance", "contoso")["read_at"]).replace(hour=9, minute=0)
    calls = [
        {
            "usage_id": f"day-{day}", "account_id": "contoso", "user_id": "ana@contoso.com", "call_type": "user_out",
            "callee": UK, "started_at": (today - timedelta(day)).isoformat(), "duration_seconds": 3000,
        }
        for day in range(1, days + 1)
    ]  # fmt: skip
    program("ingest", program.write("calls.ndjson", "\n".join(map(json.dumps, calls))))


def test_the_forecast_says_how_long_the_credit_lasts_and_why(contoso: Program) -> None:
    use(contoso, 29)

    found = contoso("forecast", "contoso")

    assert (found["spend_per_day"], found["p10"], found["p90"]) == ("1.0000", "1.0000", "1.0000")
    assert (found["spendable"], found["days_left"], found["basis"]["days"]) == ("71.0000", 71, 28)
    assert found["advice"]["amount"] == "50"
    assert found["advice"]["below"] == "4"


def test_without_a_month_of_history_the_forecast_has_no_band_and_no_advice(contoso: Program) -> None:
    use(contoso, 20)

    found = contoso("forecast", "contoso")

    assert [found[name] for name in ("p10", "p90", "advice")] == [None] * 3
    assert (found["spend_per_day"], found["spendable"], found["days_left"]) == ("1.0000", "80.0000", 80)
    assert found["basis"]["days"] == 20


def test_other_settings_are_tried_on_the_own_history(contoso: Program) -> None:
    use(contoso, 60)
    settings = ("--amount", "50", "--below", "50")

    found = contoso("recharge", "simulate", "contoso", *settings, "--from", "2026-01-03")

    assert (found["start_balance"], found["end_balance"]) == ("100.0000", "90.0000")
    assert (found["count"], found["charged"], found["lowest_balance"]) == (1, "50.0000", "49.0000")
    assert contoso("recharge", "simulate", "contoso", *settings)["charges"][0]["at"] == "2026-01-01T00:00:00Z"
    assert contoso("recharge", "show", "contoso")["state"] == "off"


def test_a_simulation_that_cannot_be_is_refused(contoso: Program) -> None:
    def refused(code: int, *arguments: str) -> tuple[str, str]:
        error = contoso.refused(code, "recharge", "simulate", "contoso", *arguments)
        return error["code"], error["field"]

    assert refused(5, "--amount", "10", "--below", "5") == ("below_minimum", "amount")
    assert refused(2, "--amount", "50.5", "--below", "5") == ("invalid_amount", "amount")
    assert refused(2, "--amount", "50", "--below", "5", "--to", "2020-01-01") == ("invalid_to", "to")
