"""`balance`, `statement`, `project`, `rebuild`: what an account has, and why; how fresh the answer is."""

from __future__ import annotations

from decimal import Decimal

from tests.acceptance.conftest import prepare
from tests.support.calls import call, calls
from tests.support.program import Program


def test_a_balance_has_the_promised_shape(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    program("ingest", program.write("usage", calls(2)))
    balance = program("balance", "contoso")
    assert list(balance) == [
        "account", "currency", "balance", "spendable", "log", "position", "lag_events", "read_at", "postpaid", "lots",
        "pools", "recharge",
    ]  # fmt: skip
    assert (balance["account"], balance["currency"], balance["balance"]) == ("contoso", "EUR", "99.4000")
    assert (balance["log"], balance["lag_events"]) == ("main", 0)
    [lot] = balance["lots"]
    assert list(lot) == ["id", "kind", "purchased_at", "expires_at", "amount", "remaining"]
    assert (lot["kind"], lot["amount"], lot["remaining"]) == ("purchased", "100.0000", "99.4000")
    recharge = balance["recharge"]
    assert (recharge.pop("state"), set(recharge.values())) == ("off", {None})


def test_a_statement_tells_each_debit_with_its_running_balance_in_order_of_the_log(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    program("ingest", program.write("usage", calls(3) + call("u-free", call_type="user_in")))
    lines = program.run("statement", "contoso").lines
    assert [line["type"] for line in lines] == ["FundsAdded", *["UsageDebited"] * 4]
    assert [line["amount"] for line in lines] == ["100.0000", "-0.3000", "-0.3000", "-0.3000", "0.0000"]
    assert [line["balance"] for line in lines][-1] == "99.1000"
    total = Decimal(0)
    for line in lines:
        total += Decimal(line["amount"])
        assert Decimal(line["balance"]) == total
    assert [line["position"] for line in lines] == sorted(line["position"] for line in lines)
    assert list(lines[1]) == [
        "log", "position", "type", "occurred_at", "recorded_at", "amount", "balance", "usage_id", "source", "proof",
    ]  # fmt: skip


def test_a_statement_goes_by_when_it_occurred_and_ends_at_its_limit(contoso: Program) -> None:
    days = "".join(call(f"u-{day}", started_at=f"2026-11-{day:02}T10:00:00Z") for day in range(1, 11))
    contoso("ingest", contoso.write("usage", days))
    shown = contoso.run("statement", "contoso", "--from", "2026-11-03", "--to", "2026-11-05").lines
    assert [line["usage_id"] for line in shown] == ["u-3", "u-4", "u-5"]
    shown = contoso.run("statement", "contoso", "--limit", "3").lines
    assert [line["usage_id"] for line in shown] == [None, "u-1", "u-2"]


def test_a_stale_answer_says_how_far_behind_it_is(contoso: Program) -> None:
    contoso("project", "--once")
    contoso("ingest", contoso.write("usage", calls(5)))
    stale = contoso("balance", "contoso", "--stale")
    assert (stale["balance"], stale["lag_events"]) == ("100.0000", 5)
    assert len(contoso.run("statement", "contoso", "--stale").lines) == 1
    fresh = contoso("balance", "contoso")
    assert (fresh["balance"], fresh["lag_events"], fresh["position"]) == ("98.5000", 0, stale["position"] + 5)


def test_an_account_that_is_not_there_is_not_found(contoso: Program) -> None:
    for line in ("balance nobody", "statement nobody", "balance nobody --stale"):
        assert contoso.refused(3, *line.split())["code"] == "unknown_account"


def test_a_rebuilt_read_model_has_the_same_bytes(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    program("ingest", program.write("usage", calls(20)))
    program("project", "--once")
    for name in ("balance", "statement"):
        first, again = program("rebuild", name), program("rebuild", name)
        assert {key: first[key] for key in ("name", "events", "rows", "sha256")} == {
            key: again[key] for key in ("name", "events", "rows", "sha256")
        }
    assert program("balance", "contoso", "--stale")["balance"] == "94.0000"
    assert program.refused(2, "rebuild", "blance")["message"].endswith("did you mean balance?")


def test_people_are_shown_a_table(contoso: Program) -> None:
    contoso("ingest", contoso.write("usage", calls(1)))
    assert "UsageDebited" in contoso.text("statement", "contoso")
    assert "99.7000" in contoso.text("balance", "contoso")
