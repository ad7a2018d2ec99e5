"""What happens when the credit is used up: post-paid, and lots that expire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.acceptance.conftest import prepare
from tests.support.calls import call
from tests.support.program import Program


def test_post_paid_takes_over_at_the_edge_and_a_top_up_pays_what_comes_after(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    shown = program("account", "set", "contoso", "--when-empty", "postpaid")
    assert shown["when_empty"] == "postpaid"
    lines = call("edge", duration_seconds=60_000) + call("after")  # 120.05 and 0.30
    taken = program("ingest", program.write("usage", lines))
    assert taken["charged"] == "120.3500"
    balance = program("balance", "contoso")
    assert (balance["balance"], balance["spendable"], balance["postpaid"]) == ("0.0000", "0.0000", "20.3500")
    program("funds", "add", "contoso", "10")
    program("ingest", program.write("usage", call("later")))
    balance = program("balance", "contoso")
    assert (balance["balance"], balance["postpaid"]) == ("9.7000", "20.3500")

    entries = {line["usage_id"]: line for line in program.run("statement", "contoso").lines}
    split, all_of_it = entries["edge"], entries["after"]
    assert (split["amount"], split["proof"]["postpaid"], split["proof"]["debt"]) == ("-100.0000", "20.0500", "0.0000")
    assert (all_of_it["amount"], all_of_it["balance"], all_of_it["proof"]["postpaid"]) == ("0.0000", "0.0000", "0.3000")
    assert entries["later"]["proof"]["postpaid"] == "0.0000"
    for usage_id, charge in (("edge", "120.0500"), ("after", "0.3000"), ("later", "0.3000")):
        explained = program("explain", usage_id)
        assert (explained["charge"], explained["recomputed"], explained["matches"]) == (charge, charge, True)

    done = program("usage", "reverse", "edge", "--reason", "never made")
    assert (done["amount"], done["proof"]["postpaid"]) == ("100.0000", "20.0500")
    balance = program("balance", "contoso")
    assert (balance["balance"], balance["postpaid"]) == ("109.7000", "0.3000")


def test_an_account_may_be_opened_post_paid(program: Program) -> None:
    opened = program("account", "open", "contoso", "--currency", "EUR", "--when-empty", "postpaid")
    assert opened["when_empty"] == "postpaid"
    assert program.refused(2, "account", "set", "contoso", "--when-empty", "beg")["field"] == "when_empty"


def test_auto_recharge_and_post_paid_exclude_each_other(contoso: Program) -> None:
    contoso("recharge", "set", "contoso", "--amount", "100", "--below", "25")
    error = contoso.refused(5, "account", "set", "contoso", "--when-empty", "postpaid")
    assert (error["code"], error["field"]) == ("recharge_is_on", "when_empty")
    assert "auto-recharge is on" in error["message"]
    contoso("recharge", "off", "contoso")
    contoso("account", "set", "contoso", "--when-empty", "postpaid")
    error = contoso.refused(5, "recharge", "set", "contoso", "--amount", "100", "--below", "25")
    assert error["code"] == "postpaid_is_on"


def test_a_lot_is_closed_at_its_instant_and_booked_after_the_grace(on_each_store: Program) -> None:
    program = prepare(on_each_store)
    program("account", "set", "contoso", "--expiry-grace", "10h")
    expiry = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    program("funds", "add", "contoso", "7", "--expires", _text(expiry), "--granted")

    def work(at: datetime) -> str:
        program("work", "--once", "--at", _text(at), "--only", "expiry")
        shown: str = program("balance", "contoso")["balance"]
        return shown

    booked = expiry + timedelta(hours=10, seconds=1)
    assert work(expiry + timedelta(hours=10)) == "107.0000"
    assert work(booked) == "100.0000"
    assert work(booked) == "100.0000"
    [line] = [line for line in program.run("statement", "contoso").lines if line["type"] == "LotExpired"]
    assert (line["amount"], line["balance"], line["occurred_at"]) == ("-7.0000", "100.0000", _text(expiry))


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
