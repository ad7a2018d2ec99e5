"""Notices reach people and machines, each under one id, through real servers; what does not arrive is tried again."""

from __future__ import annotations

import hmac
import threading
import time
from base64 import b64decode, b64encode
from http.server import BaseHTTPRequestHandler
from itertools import pairwise

import pytest

from application.notices import PAUSES_SECONDS
from tests.integration.notices.conftest import World

DAY = 86_400


def test_a_notice_reaches_a_person_and_a_machine_once(world: World) -> None:
    world.tell("ana@contoso.com")
    webhook, secret = world.add_webhook()
    world.make_low()

    world.run()
    world.run(world.process())

    [mail] = world.mail.mails
    [post] = world.hook.posts
    [notice] = world.engine.recipients.notices("contoso", 10)
    assert post.headers["webhook-id"] == notice.notice.id
    assert mail["Message-ID"].startswith(f"<{notice.notice.id}.rcp-")
    assert post.json == {
        "type": "balance.low",
        "timestamp": "2026-11-22T10:00:00Z",
        "data": {
            "notice": notice.notice.id,
            "account": "contoso",
            "balance": "100.0000",
            "spendable": "100.0000",
            "threshold": "200.0000",
            "currency": "EUR",
        },
    }
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    key = b64decode(secret.removeprefix("whsec_"))
    assert post.headers["webhook-signature"] == "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert world.listed() == [("balance.low", ["delivered", "delivered"])]
    assert {one.target for one in notice.deliveries} >= {webhook}


def test_a_mail_is_in_the_recipients_language_and_marked_as_a_machines(small_world: World) -> None:
    world = small_world
    world.tell("ana@contoso.com", language="en")
    world.tell("bor@contoso.com", language="sl")
    world.make_low()
    world.run()

    by_person = {mail["To"]: mail for mail in world.mail.mails}
    english, slovenian = by_person["ana@contoso.com"], by_person["bor@contoso.com"]
    assert english["Subject"] == "Communication credits: The balance is low: 100.00 EUR (contoso)"
    assert slovenian["Subject"] == "Dobropisi za komuniciranje: Stanje je nizko: 100,00 EUR (contoso)"
    assert english["Auto-Submitted"] == slovenian["Auto-Submitted"] == "auto-generated"
    assert english["Message-ID"] != slovenian["Message-ID"]
    for mail, words in ((english, "fallen below 200.00 EUR"), (slovenian, "padel pod 200,00 EUR")):
        assert mail.get_content_type() == "multipart/alternative"
        text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
        assert text is not None
        assert html is not None
        assert words in text.get_content()
        assert words in html.get_content()


def test_who_asks_for_some_kinds_is_told_of_those_only(small_world: World) -> None:
    world = small_world
    world.tell("ana@contoso.com", "contoso", "en", "recharge.failed")
    world.add_webhook("", "balance.low")
    world.make_low()
    world.run()

    assert (len(world.mail.mails), len(world.hook.posts)) == (0, 1)


def test_accounts_are_told_apart_and_a_webhook_without_account_hears_of_all(small_world: World) -> None:
    world = small_world
    world.open("fabrikam")
    world.tell("ana@contoso.com")
    world.add_webhook("contoso")
    world.add_webhook()
    world.make_low()
    world.make_low("fabrikam")
    world.run()

    assert [mail["To"] for mail in world.mail.mails] == ["ana@contoso.com"]
    assert sorted(post.json["data"]["account"] for post in world.hook.posts) == ["contoso", "contoso", "fabrikam"]


def test_who_comes_later_is_not_told_of_what_was(world: World) -> None:
    world.make_low()
    world.tell("ana@contoso.com")
    world.run()
    assert world.listed() == [("balance.low", [])]
    world.low_balance(50)
    world.low_balance(300)
    world.run()

    assert world.listed() == [("balance.low", []), ("balance.low", ["delivered"])]


def test_history_is_listed_and_not_delivered(small_world: World) -> None:
    world = small_world
    world.tell("ana@contoso.com")
    world.make_low()
    world.pass_time(8 * DAY)
    world.run()

    assert world.listed() == [("balance.low", [])]


def test_a_removed_person_is_told_no_more_and_the_address_is_gone(world: World) -> None:
    world.tell("Ana@contoso.com")
    world.make_low()
    world.run()
    world.low_balance(50)
    world.low_balance(300)
    world.engine.recipients.tell_no_more("contoso", "ana@CONTOSO.com")
    world.run()

    assert len(world.mail.mails) == 1
    with world.engine.store.reading() as database:
        assert database.execute("SELECT count(*) FROM recipients") == [(0,)]
        kept = [row for table in ("notices", "deliveries") for row in database.execute(f"SELECT * FROM {table}")]
    assert "ana@" not in str(kept).lower()
    listed = world.engine.recipients.notices("contoso", 10)
    assert all(one.target not in listed[0].to for one in listed[0].deliveries)


def test_an_address_is_sealed(world: World) -> None:
    world.tell("ana@contoso.com")
    with world.engine.store.reading() as database:
        [row] = database.execute("SELECT * FROM recipients")
    assert "contoso.com" not in str(row)


def test_a_receiver_that_fails_is_tried_for_three_days_with_growing_pauses_and_then_dead(world: World) -> None:
    webhook, _ = world.add_webhook()
    world.hook.answer = lambda handler: 500
    world.make_low()
    begun, tries = world.now, list[int]()
    while world.listed() != [("balance.low", ["dead"])]:
        world.run()
        if len(world.hook.posts) > len(tries):
            tries.append(world.now - begun)
        world.pass_time(15 if world.now - begun < 3600_000_000 else 1800)

    pauses = [after - before for before, after in pairwise(tries)]
    assert len(tries) == len(PAUSES_SECONDS) + 1
    assert pauses == sorted(pauses)
    assert 3 * DAY <= tries[-1] // 1_000_000 < 3 * DAY + 7200
    assert len({post.headers["webhook-id"] for post in world.hook.posts}) == 1
    [(delivery, notice)] = world.engine.recipients.deliveries(webhook, "dead", 10)
    assert delivery.tries[-1][1].startswith("500 ")
    world.hook.answer = lambda handler: 204
    assert world.engine.recipients.redeliver(webhook, world.now) == 1
    world.run()
    assert world.listed() == [("balance.low", ["delivered"])]
    assert world.hook.posts[-1].headers["webhook-id"] == notice.id


def test_a_redirect_is_not_followed(small_world: World) -> None:
    world = small_world

    def elsewhere(handler: BaseHTTPRequestHandler) -> int:
        handler.send_response(302)
        handler.send_header("Location", f"{world.hook.url}/secret")
        handler.end_headers()
        return 0

    world.add_webhook()
    world.hook.answer = elsewhere
    world.make_low()
    world.run()

    assert [post.path for post in world.hook.posts] == ["/hook"]
    assert world.listed() == [("balance.low", ["pending"])]


def test_a_receiver_that_is_gone_for_good_is_not_tried_again(small_world: World) -> None:
    world = small_world
    world.add_webhook()
    world.hook.answer = lambda handler: 410
    world.make_low()
    world.run()

    assert world.listed() == [("balance.low", ["dead"])]


def test_a_person_whose_address_does_not_exist_is_not_tried_again_and_others_are_told(small_world: World) -> None:
    world = small_world
    world.mail.answer = lambda to: f"550 5.1.1 <{to}> unknown" if to.startswith("ana") else "250 OK"
    world.tell("ana@contoso.com")
    world.tell("bor@contoso.com")
    world.make_low()
    world.run()

    assert [mail["To"] for mail in world.mail.mails] == ["bor@contoso.com"]
    [listed] = world.engine.recipients.notices("contoso", 10)
    assert sorted(one.status for one in listed.deliveries) == ["dead", "delivered"]
    [dead] = [one for one in listed.deliveries if one.status == "dead"]
    assert dead.tries[0][1] == "550 5.1.1 <the address> unknown"


def test_a_busy_mail_server_is_asked_again(small_world: World) -> None:
    world = small_world
    world.mail.answer = lambda to: "451 later"
    world.tell("ana@contoso.com")
    world.make_low()
    world.run()
    assert world.listed() == [("balance.low", ["pending"])]
    world.mail.answer = lambda to: "250 OK"
    world.pass_time(14)
    world.run()
    assert len(world.mail.mails) == 0
    world.pass_time(1)
    world.run()

    assert world.listed() == [("balance.low", ["delivered"])]


def test_without_a_mail_server_mails_wait(small_world: World) -> None:
    world = small_world
    without = world.process(smtp_url=None)
    world.tell("ana@contoso.com")
    world.make_low()
    world.run(without)
    assert world.listed() == [("balance.low", ["pending"])]
    world.pass_time(15)
    world.run()

    assert world.listed() == [("balance.low", ["delivered"])]


def test_a_slow_receiver_does_not_hold_up_the_others(small_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = small_world
    monkeypatch.setattr("adapters.webhooks.SECONDS", 0.3)
    quick = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> int:
        if handler.path.startswith("/slow"):
            assert quick.wait(5)  # the quick one is answered while this one waits
            world.hook.release.wait(5)
            return 0
        quick.set()
        return 200

    world.hook.answer = answer
    slow = world.hook.url.replace("/hook", "/slow")
    world.add_webhook(url=slow)
    world.add_webhook()
    world.make_low()
    process = world.process()
    process.notices._hooks._seconds = 0.5  # type: ignore[attr-defined]
    begun = time.monotonic()
    process.notices.run(world.now)

    assert time.monotonic() - begun < 5
    assert sorted(world.listed()[0][1]) == ["delivered", "pending"]


def test_what_waits_for_a_receiver_that_does_not_answer_is_not_tried_one_by_one(small_world: World) -> None:
    world = small_world
    world.add_webhook()
    world.hook.answer = lambda handler: 503
    for amount in range(5):
        world.low_balance(0)
        world.fund(1)
        world.low_balance(1000 + amount)
    world.run()
    assert len(world.hook.posts) == 1
    world.hook.answer = lambda handler: 200
    world.pass_time(15)
    world.run()

    assert world.listed() == [("balance.low", ["delivered"])] * 5
    assert len({post.headers["webhook-id"] for post in world.hook.posts}) == 5


def test_a_message_that_cannot_be_written_is_tried_again_and_keeps_no_other_back(
    small_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = small_world
    world.tell("ana@contoso.com")
    world.add_webhook()
    world.make_low()

    def broken(*_: object) -> str:
        raise LookupError("ana@contoso.com")

    with monkeypatch.context() as patch:
        patch.setattr("application.composing.write", broken)
        world.run()
    [listed] = world.engine.recipients.notices("contoso", 10)
    assert {one.status: one.tries[0][1] for one in listed.deliveries} == {
        "pending": "not written: a fault of ours (LookupError)",
        "delivered": "200 OK said",
    }
    world.pass_time(15)
    world.run()

    assert (len(world.mail.mails), len(world.hook.posts)) == (1, 1)
    assert world.listed() == [("balance.low", ["delivered", "delivered"])]
