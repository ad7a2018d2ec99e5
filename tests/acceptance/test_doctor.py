"""`doctor`: what is wrong is found, and how it is mended is said."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

from kafka import KafkaProducer
from kafka.admin import ConfigResource, KafkaAdminClient

from commcredits.sandbox.stripe.api import LIVE_KEY
from commcredits.sandbox.stripe.server import StripeSandbox
from commcredits.sandbox.topics import create_topics, delete_topics
from tests.support.calls import call
from tests.support.program import Program


def checks(program: Program, code: int, *, kafka: bool = False) -> dict[str, dict[str, Any]]:
    """The checks by name, of a doctor that exits so."""
    answer = program.process("doctor") if kafka else program.run("doctor")
    assert answer.code == code, answer
    return {check["name"]: check for check in answer.json}


def test_an_unknown_variable_is_reported_with_the_setting_that_was_probably_meant(program: Program) -> None:
    program.set("CURENCY", "EUR")
    program.set("SERVICE_PORT", "80")
    found = {line["name"]: line["meaning"] for line in program("settings")}
    assert found["COMMCREDITS_CURENCY"] == "unknown, ignored; did you mean COMMCREDITS_CURRENCY?"
    assert found["COMMCREDITS_SERVICE_PORT"] == "unknown, ignored"


def test_where_nothing_is_wrong_every_check_is_ok(on_each_store: Program) -> None:
    found = checks(on_each_store, 0)
    assert {check["status"] for check in found.values()} == {"ok"}
    names = ["versions", "settings", "store", "master_key", "clock", "read_models", "work", "dead_letters"]
    names += ["keys", "notices", "provider", "broker"]
    assert list(found) == names
    assert all(list(check) == ["name", "status", "message", "mend"] for check in found.values())


def test_how_far_a_read_model_is_behind_is_said(contoso: Program) -> None:
    contoso("statement", "contoso")
    contoso("notice", "set", "contoso", "--low-balance", "5")
    contoso("balance", "contoso")

    assert checks(contoso, 0)["read_models"]["message"] == "balance is 0 events behind, statement is 1 event behind"


def test_what_somebody_should_look_at_is_a_finding(contoso: Program) -> None:
    contoso.set("COLOUR", "red")
    contoso.run("ingest", contoso.write("usage", call(currency="USD") + call("u-2", currency="USD") + "{\n"))
    (contoso.directory / "commcredits.db.key").chmod(0o644)
    found = checks(contoso, 1)
    assert found["dead_letters"]["message"] == "3 are open: 2 currency_mismatch, 1 undecodable"
    assert "COMMCREDITS_COLOUR" in found["settings"]["message"]
    assert found["master_key"]["mend"].startswith("chmod 600")
    findings = [check for check in found.values() if check["status"] == "finding"]
    assert {check["name"] for check in findings} == {"dead_letters", "settings", "master_key"}
    assert all(check["mend"] for check in findings)


def test_a_clock_that_went_back_is_found(contoso: Program) -> None:
    with closing(sqlite3.connect(contoso.directory / "commcredits.db")) as database, database:
        change = "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), ?, ?) AS BLOB) WHERE topic = ?"
        [[state]] = database.execute("SELECT state FROM stored_events WHERE topic = 'DeckImported'").fetchall()
        recorded = state.decode().split(",")[2]
        database.execute(change, (recorded, str(int(recorded) + 10**12), "DeckImported"))
    assert checks(contoso, 1)["clock"]["status"] == "finding"


def test_that_nobody_works_is_found(contoso: Program) -> None:
    with closing(sqlite3.connect(contoso.directory / "commcredits.db")) as database, database:
        [[first]] = database.execute("SELECT state FROM stored_events WHERE rowid = 1").fetchall()
        fields = json.loads(first)
        fields[2] -= 3600 * 10**6
        state = json.dumps(fields, separators=(",", ":")).encode()
        database.execute("UPDATE stored_events SET state = ? WHERE rowid = 1", (state,))
    idle = checks(contoso, 1)["work"]
    assert (idle["status"], "commcredits work" in idle["mend"]) == ("finding", True)

    contoso("work", "--once")
    assert checks(contoso, 0)["work"]["status"] == "ok"
    with closing(sqlite3.connect(contoso.directory / "commcredits.db")) as database, database:
        database.execute("INSERT INTO provider_inbox VALUES ('evt_1', 'payment', 'pi_1', '', '', 0)")
    unread = checks(contoso, 1)["work"]
    assert (unread["status"], "commcredits serve" in unread["mend"]) == ("finding", True)


def test_a_lost_master_key_is_found(contoso: Program) -> None:
    (contoso.directory / "commcredits.db.key").unlink()
    assert checks(contoso, 1)["master_key"]["status"] == "finding"


def test_a_store_that_cannot_be_used_is_broken(program: Program, postgres: str) -> None:
    program.set("STORE", "sqlite:////nowhere/at/all.db")
    assert checks(program, 4)["store"]["status"] == "broken"
    program.set("STORE", postgres)
    schema = checks(program, 4)["schema"]
    assert (schema["status"], schema["mend"]) == ("broken", "run `commcredits migrate`")


def test_a_broker_that_is_not_there_is_broken(program: Program) -> None:
    program.set("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    assert checks(program, 4, kafka=True)["broker"]["status"] == "broken"


def test_whether_the_payment_provider_takes_the_key_is_looked_at(
    program: Program, stripe_sandbox: StripeSandbox
) -> None:
    for setting, value in {"API_BASE": stripe_sandbox.url, "API_KEY": "sk_live_wrong"}.items():
        program.set(f"STRIPE_{setting}", value)
    wrong = checks(program, 4)["provider"]
    assert wrong["status"] == "broken"
    assert wrong["message"].startswith("Stripe does not accept COMMCREDITS_STRIPE_API_KEY")
    program.set("STRIPE_API_KEY", stripe_sandbox.api_key)
    assert "COMMCREDITS_STRIPE_WEBHOOK_SECRET" in checks(program, 1)["provider"]["mend"]
    program.set("STRIPE_WEBHOOK_SECRET", stripe_sandbox.webhook_secret)
    assert checks(program, 0)["provider"]["status"] == "ok"


def test_a_key_of_the_other_mode_is_found_where_something_is_due(
    contoso: Program, stripe_sandbox: StripeSandbox
) -> None:
    contoso.set("STRIPE_API_BASE", stripe_sandbox.url)
    contoso.set("STRIPE_API_KEY", stripe_sandbox.api_key)
    contoso("payment-method", "add", "contoso", "--card", "pm_card_visa")
    contoso("recharge", "set", "contoso", "--amount", "100", "--below", "1000")
    contoso.set("STRIPE_API_KEY", LIVE_KEY)

    answer = contoso.run("work", "--once", "--only", "recharges")
    found = checks(contoso, 4)["provider"]

    assert (answer.code, "COMMCREDITS_STRIPE_API_KEY" in answer.err) == (5, True)
    assert contoso("recharge", "show", "contoso")["state"] == "triggered"
    assert (found["status"], "a live mode key was used" in found["message"]) == ("broken", True)


def test_topics_and_positions_are_looked_at(contoso: Program, kafka: str, topics: Callable[..., Any]) -> None:
    contoso.set("KAFKA_BOOTSTRAP", kafka)
    contoso.set("TOPIC_CALLS", "no-such-topic")
    assert checks(contoso, 4, kafka=True)["broker"]["message"].startswith("there is no topic no-such-topic")
    pair = topics(2)
    contoso.set("TOPIC_CALLS", pair.calls)
    contoso.set("TOPIC_CONFERENCES", pair.conferences)
    with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
        for number in range(3):
            line = call(f"u-{number}", currency="EUR" if number else "USD")
            producer.send(pair.calls, line.encode(), b"contoso" if number else b"fabrikam")
        producer.flush()
    assert "about 3 messages wait" in checks(contoso, 0, kafka=True)["positions"]["message"]
    assert contoso.process("consume", "--once").json["dead"] == 1
    found = checks(contoso, 1, kafka=True)
    assert "about 0 messages wait" in found["positions"]["message"]
    assert found["keys"]["message"].startswith(f"messages that were not keyed by their account: 1 on {pair.calls}")
    assert found["dead_letters"]["status"] == "finding"


def test_a_topic_that_forgets_all_but_the_last_message_of_an_account_is_found(
    contoso: Program, kafka: str, topics: Callable[..., Any]
) -> None:
    pair = topics(1)
    contoso.set("KAFKA_BOOTSTRAP", kafka)
    contoso.set("TOPIC_CALLS", pair.calls)
    contoso.set("TOPIC_CONFERENCES", pair.conferences)
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.alter_configs([ConfigResource("topic", pair.calls, {"cleanup.policy": "compact,delete"})])
    found = checks(contoso, 1, kafka=True)["broker"]
    assert found["status"] == "finding"
    assert f"; {pair.calls} is compacted" in found["message"]
    assert "cleanup.policy=delete" in found["mend"]
    assert f"{pair.calls} is compacted" in contoso.process("consume", "--once").err


def test_a_topic_that_was_made_anew_is_broken(contoso: Program, kafka: str, topics: Callable[..., Any]) -> None:
    pair = topics(1)
    for setting, value in {"KAFKA_BOOTSTRAP": kafka, "TOPIC_CALLS": pair[0], "TOPIC_CONFERENCES": pair[1]}.items():
        contoso.set(setting, value)
    with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
        producer.send(pair.calls, call().encode(), b"contoso").get(30)
    assert contoso.process("consume", "--once").json["accepted"] == 1
    delete_topics(kafka, [pair.calls])
    create_topics(kafka, [pair.calls], 1)
    positions = checks(contoso, 4, kafka=True)["positions"]
    assert (positions["status"], "--accept-gap" in positions["mend"]) == ("broken", True)
    assert contoso.process("consume", "--once").error["code"] == "topic_recreated"
    assert contoso.process("consume", "--once", "--accept-gap").json["read"] == 0
    assert checks(contoso, 0, kafka=True)["positions"]["status"] == "ok"
