"""`notice` and `webhook` as their users run them, with `work` and real receivers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import prepare
from tests.support.program import Program
from tests.support.receivers import MailBox, Receiver, mail_server, receiver


@pytest.fixture
def mail() -> Iterator[MailBox]:
    """A mail server."""
    with mail_server() as box:
        yield box


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """A webhook's receiver."""
    with receiver() as kept:
        yield kept


def connect(program: Program, mail: MailBox) -> None:
    program.set("SMTP_URL", mail.url)
    program.set("WEBHOOK_ALLOW", "127.0.0.0/8")


def test_a_low_balance_reaches_people_and_machines_once(on_each_store: Program, mail: MailBox, hook: Receiver) -> None:
    program = prepare(on_each_store)
    connect(program, mail)
    assert program("notice", "set", "contoso", "--low-balance", "100") == {
        "account": "contoso",
        "low_balance": "100.0000",
    }
    told = program("notice", "to", "contoso", "ana@contoso.com", "--language", "sl", "--kinds", "balance", "pool.80")
    assert told["kinds"] == ["balance.low", "balance.zero", "pool.80"]
    added = program("webhook", "add", hook.url, "--account", "contoso")
    assert added["secret"].startswith("whsec_")
    assert program("webhook", "list") == [{name: added[name] for name in ("id", "url", "account", "kinds", "added_at")}]

    line = b'{"usage_id":"u-1","call_type":"user_out","user_id":"ana@contoso.com","callee":"+447700900123",'
    line += b'"started_at":"2026-11-22T10:00:00Z","duration_seconds":60,"currency":"EUR"}\n'
    program("ingest", "-", "--account", "contoso", stdin=line)
    assert program("work", "--once")["notices"] > 0
    assert program("work", "--once")["notices"] == 0

    [listed] = program("notice", "list", "contoso")
    assert listed["kind"] == "balance.low"
    assert listed["facts"]["threshold"] == "100.0000"
    by_channel = {each["channel"]: each for each in listed["deliveries"]}
    assert {name: each["to"] for name, each in by_channel.items()} == {"mail": "ana@contoso.com", "webhook": hook.url}
    assert [each["status"] for each in listed["deliveries"]] == ["delivered", "delivered"]
    assert by_channel["webhook"]["attempts"][0]["answer"] == "200 OK said"
    assert len(mail.mails) == len(hook.posts) == 1
    [delivery] = program("webhook", "deliveries", added["id"])
    assert (delivery["notice"], delivery["status"]) == (listed["id"], "delivered")
    assert "delivered" in program.text("notice", "list", "contoso")
    assert "balance.low" in program.text("webhook", "deliveries")


def test_credit_that_expires_is_told_by_a_clock_that_is_moved(contoso: Program, mail: MailBox) -> None:
    connect(contoso, mail)
    contoso("funds", "add", "contoso", "40", "--expires", "2027-06-30T12:00:00Z")
    contoso("notice", "to", "contoso", "ana@contoso.com", "--kinds", "credit.expiring")
    contoso("work", "--once", "--at", "2027-05-01T11:59:59Z", "--only", "notices")
    before = len(mail.mails)
    for _ in range(2):
        contoso("work", "--once", "--at", "2027-05-01T12:00:00Z", "--only", "notices")

    assert len(mail.mails) == before + 1
    assert (
        mail.mails[-1]["Subject"].strip() == "Communication credits: 40.00 EUR of credit expires in 60 days (contoso)"
    )
    assert "2027-06-30 12:00 (UTC)" in mail.parts()[0]


def test_what_is_not_taken_is_listed_as_dead_and_delivered_again(
    contoso: Program, mail: MailBox, hook: Receiver
) -> None:
    connect(contoso, mail)
    hook.answer = lambda handler: 410
    webhook = contoso("webhook", "add", hook.url)["id"]
    contoso("notice", "set", "contoso", "--low-balance", "500")
    contoso("work", "--once")
    [dead] = contoso("webhook", "deliveries", "--status", "dead")
    assert dead["attempts"][0]["answer"].startswith("410 ")
    check = next(each for each in contoso.run("doctor").json if each["name"] == "notices")
    assert (check["status"], check["message"]) == ("finding", "deliveries were given up: 1 by webhook")

    hook.answer = lambda handler: 200
    assert contoso("webhook", "redeliver", dead["id"]) == {"id": dead["id"], "redelivered": 1}
    contoso("work", "--once")
    assert contoso("webhook", "deliveries", webhook)[0]["status"] == "delivered"
    assert {post.headers["webhook-id"] for post in hook.posts} == {dead["notice"]}


def test_a_webhook_is_tested_at_once(contoso: Program, mail: MailBox, hook: Receiver) -> None:
    connect(contoso, mail)
    webhook = contoso("webhook", "add", hook.url)["id"]

    assert contoso("webhook", "test", webhook) == {"id": webhook, "delivered": True, "answer": "200 OK said"}
    assert hook.posts[0].json["type"] == "test"
    hook.answer = lambda handler: 500
    assert contoso.run("webhook", "test", webhook).code == 1


def test_who_is_removed_is_told_no_more(contoso: Program, mail: MailBox, hook: Receiver) -> None:
    connect(contoso, mail)
    webhook = contoso("webhook", "add", hook.url)["id"]
    contoso("notice", "to", "contoso", "ana@contoso.com")
    assert contoso("notice", "to", "contoso", "ANA@contoso.com", "--remove")["removed"] is True
    assert contoso("webhook", "remove", webhook) == {"id": webhook, "removed": True}
    contoso("notice", "set", "contoso", "--low-balance", "500")
    contoso("work", "--once")

    assert (mail.mails, hook.posts) == ([], [])
    assert contoso.refused(3, "notice", "to", "contoso", "ana@contoso.com", "--remove")["code"] == "unknown_recipient"
    assert contoso.refused(3, "webhook", "remove", webhook)["code"] == "unknown_webhook"


def test_a_threshold_is_taken_away(contoso: Program) -> None:
    contoso("notice", "set", "contoso", "--low-balance", "5")

    assert contoso("notice", "set", "contoso", "--low-balance", "none") == {"account": "contoso", "low_balance": None}


@pytest.mark.parametrize(
    ("code", "error", "field", "command"),
    [
        (2, "invalid_argument", "email", "notice to contoso ana"),
        (2, "invalid_argument", "email", "notice to contoso ana@con..toso"),
        (2, "invalid_argument", "language", "notice to contoso ana@contoso.com --language de"),
        (2, "invalid_argument", "kinds", "notice to contoso ana@contoso.com --kinds balance.lo"),
        (2, "wrong_use", "remove", "notice to contoso ana@contoso.com --kinds balance --remove"),
        (2, "invalid_argument", "low_balance", "notice set contoso --low-balance -1"),
        (2, "invalid_argument", "low_balance", "notice set contoso --low-balance 0.00001"),
        (2, "missing_argument", "low_balance", "notice set contoso"),
        (2, "invalid_argument", "kinds", "notice to contoso ana@contoso.com --kinds="),
        (2, "invalid_argument", "kinds", "webhook add https://1.1.1.1/ --kinds recharge,"),
        (2, "invalid_url", "url", "webhook add gopher://example.com/"),
        (2, "invalid_url", "url", "webhook add http://billing..example.com/"),
        (5, "webhook_not_allowed", "url", "webhook add http://127.0.0.1:9/hook"),
        (5, "webhook_not_allowed", "url", "webhook add https://169.254.169.254/latest"),
        (3, "unknown_account", "account", "webhook add https://1.1.1.1/ --account fabrikam"),
        (3, "unknown_account", "account", "notice to fabrikam ana@contoso.com"),
        (3, "unknown_account", "account", "notice list fabrikam"),
        (3, "unknown_account", "account", "notice set fabrikam --low-balance 5"),
        (3, "unknown_webhook", "id", "webhook test whk-0"),
        (3, "unknown_webhook", "id", "webhook deliveries whk-0"),
        (3, "unknown_webhook", "id", "webhook redeliver whk-0"),
        (3, "unknown_delivery", "id", "webhook redeliver dlv-0"),
    ],
)
def test_bad_input_says_what_and_where(contoso: Program, code: int, error: str, field: str, command: str) -> None:
    refused = contoso.refused(code, *command.split())

    assert (refused["code"], refused["field"]) == (error, field)
