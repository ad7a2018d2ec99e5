"""`account`, `funds`, `recharge`, `licence`: what an admin types, and what comes back."""

from __future__ import annotations

import stat

import pytest

from tests.support.program import Program

OPTIONS = {
    "--name": "Contoso d.o.o.",
    "--country": "SI",
    "--time-zone": "Europe/Ljubljana",
    "--pricing": "as-priced",
    "--expiry-months": "24",
    "--expiry-grace": "30d",
    "--zero-second-fee": "yes",
    "--plan-pool-by": "purchased",
    "--dialout-pool-by": "assigned",
    "--after-dialout-pool": "plan",
}


def test_an_account_shows_its_options_as_they_were_given(on_each_store: Program) -> None:
    options = [text for pair in OPTIONS.items() for text in pair]
    opened = on_each_store("account", "open", "contoso", "--currency", "eur", "--scale", "2", *options)
    shown = on_each_store("account", "show", "contoso")
    assert opened == shown
    assert (shown["account"], shown["currency"], shown["scale"], shown["balance"]) == ("contoso", "EUR", 2, "0.00")
    for option, value in OPTIONS.items():
        assert str(shown[option.removeprefix("--").replace("-", "_")]) == value
    assert [account["account"] for account in on_each_store("account", "list")] == ["contoso"]


def test_settings_are_the_defaults_at_opening(program: Program) -> None:
    for name, value in {"CURRENCY": "USD", "COUNTRY": "US", "SCALE": "6", "EXPIRY_MONTHS": "6"}.items():
        program.set(name, value)
    shown = program("account", "open", "fabrikam")
    assert (shown["currency"], shown["country"], shown["scale"], shown["expiry_months"]) == ("USD", "US", 6, 6)


def test_set_changes_what_is_named_and_nothing_else(program: Program) -> None:
    before = program("account", "open", "contoso", "--currency", "EUR", "--country", "SI")
    after = program("account", "set", "contoso", "--expiry-months", "6", "--zero-second-fee", "yes")
    assert after == before | {"expiry_months": 6, "zero_second_fee": "yes"}


@pytest.mark.parametrize(
    ("exit_code", "code", "line"),
    [
        (5, "account_exists", "account open contoso --currency EUR"),
        (2, "missing_argument", "account open other"),
        (2, "invalid_argument", "account open .x --currency EUR"),
        (2, "invalid_argument", "account open other --currency XXX"),
        (3, "unknown_deck", "account open other --currency EUR --deck nowhere"),
        (3, "unknown_deck", "account set contoso --deck nowhere"),
        (5, "currency_mismatch", "account open other --currency USD --deck euros"),
        (5, "currency_mismatch", "account set contoso --deck pounds"),
        (2, "missing_argument", "account set contoso"),
        (2, "unknown_option", "account set contoso --currency USD"),
        (3, "unknown_account", "account set nobody --name x"),
        (3, "unknown_account", "account show nobody"),
        (3, "unknown_account", "account close nobody"),
        (3, "unknown_account", "funds add nobody 10"),
        (2, "invalid_argument", "funds add contoso 10.00001"),
        (2, "invalid_amount", "funds add contoso 0"),
        (2, "in_future", "funds add contoso 10 --at 2999-01-01"),
        (3, "recharge_not_open", "funds add contoso 10 --recharge rch-1"),
        (5, "below_minimum", "recharge set contoso --amount 49 --below 10"),
        (2, "invalid_amount", "recharge set contoso --amount 50.5 --below 10"),
        (3, "unknown_plan", "licence assign contoso ana MCOPSTN"),
        (5, "plan_not_offered", "licence assign contoso ana MCOPSTN1 --country JP"),
        (3, "unknown_user", "licence remove contoso ana MCOPSTN1"),
        (3, "unknown_account", "licence purchased nobody MCOMEETADD 5"),
    ],
)
def test_what_cannot_be_is_refused_by_a_stable_code(program: Program, exit_code: int, code: str, line: str) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--country", "SI")
    rates = program.write("deck.csv", "prefix,rate\n44,0.02\n")
    for name, currency in (("euros", "EUR"), ("pounds", "GBP")):
        program("deck", "import", rates, "--name", name, "--currency", currency)
    assert program.refused(exit_code, *line.split())["code"] == code


def test_a_closed_account_takes_no_money_but_shows_itself(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR")
    assert program("account", "close", "contoso")["closed"] is True
    assert program("account", "close", "contoso")["closed"] is True
    assert program.refused(5, "funds", "add", "contoso", "10")["code"] == "account_closed"


def test_funds_of_a_known_reference_add_nothing(on_each_store: Program) -> None:
    on_each_store("account", "open", "contoso", "--currency", "EUR")
    added = on_each_store("funds", "add", "contoso", "250", "--reference", "INV-1")
    assert added == {
        "account": "contoso", "lot": added["lot"], "amount": "250.0000", "balance": "250.0000", "duplicate": False,
    }  # fmt: skip
    assert on_each_store("funds", "add", "contoso", "250.00", "--reference", "INV-1") == added | {"duplicate": True}
    for other in ("251", "250.0000001"):  # the reference is looked at before the account's scale
        error = on_each_store.refused(5, "funds", "add", "contoso", other, "--reference", "INV-1")
        assert (error["code"], error["field"]) == ("reference_conflict", "reference")


def test_a_recharge_that_was_triggered_ends_with_its_money(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR")
    recharge = program("recharge", "set", "contoso", "--amount", "100", "--below", "20")
    assert recharge["state"] == "triggered"
    added = program("funds", "add", "contoso", "100", "--recharge", recharge["recharge_id"])
    assert added["balance"] == "100.0000"
    assert program("account", "show", "contoso")["recharge"]["state"] == "armed"
    assert program("recharge", "off", "contoso")["state"] == "off"


def test_granted_credit_has_its_own_kind_and_end(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR")
    program("funds", "add", "contoso", "5", "--granted", "--expires", "2999-12-31")
    [lot] = program("balance", "contoso")["lots"]
    assert (lot["kind"], lot["expires_at"], lot["remaining"]) == ("granted", "2999-12-31T00:00:00Z", "5.0000")


def test_licences_are_shown_by_name(on_each_store: Program) -> None:
    program = on_each_store
    program("account", "open", "contoso", "--currency", "EUR", "--country", "US")
    given = program(
        "licence", "assign", "contoso", "Ana@contoso.com", "MCOPSTN8", "--from", "2026-11-01", "--to", "2026-11-30"
    )
    assert given == {
        "account": "contoso", "user": "Ana@contoso.com", "plan": "MCOPSTN8", "country": "US",
        "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z",
    }  # fmt: skip
    assert program("licence", "purchased", "contoso", "MCOMEETADD", "115")["count"] == 115
    shown = program("account", "show", "contoso")
    assert [(each["user"], each["plan"]) for each in shown["licences"]] == [("Ana@contoso.com", "MCOPSTN8")]
    assert shown["purchased"] == [{"plan": "MCOMEETADD", "count": 115}]
    dialout = [pool for pool in program("balance", "contoso")["pools"] if pool["kind"] == "dialout"]
    assert [(pool["minutes"], pool["used"], pool["remaining"]) for pool in dialout] == [(6900, 0, 6900)]
    program("licence", "remove", "contoso", "ana@CONTOSO.com", "MCOPSTN8")
    assert program("account", "show", "contoso")["licences"][0]["removed_at"] is not None


def test_a_file_of_licences_is_taken_whole(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--country", "US")
    file = program.write(
        "licences.csv",
        "\ufeffPlan,User,from\r\nMCOPSTN1,ana@contoso.com,2026-11-01\r\n\r\nMCOPSTNPP,bor@contoso.com,\r\n",
    )
    assert program("licence", "import", "contoso", file)["count"] == 2
    licences = program("account", "show", "contoso")["licences"]
    assert [(each["user"], each["country"], each["from"]) for each in licences] == [
        ("ana@contoso.com", "US", "2026-11-01T00:00:00Z"),
        ("bor@contoso.com", "US", None),
    ]


def test_a_file_of_licences_with_mistakes_is_refused_whole_by_line_and_column(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--country", "US")
    rows = ["user,plan,country,from,to", "ana,MCOPSTN1,,,", "bor,MCOPSTN,,,", ",MCOPSTN1,,,", "c,MCOPSTN1,U,,"]
    rows += ["d,MCOPSTN1,,11/01/2026,", "e,MCOPSTN1,,2026-11-02,2026-11-01", "f,MCOPSTN1,,,,,,x"]
    answer = program.run("licence", "import", "contoso", program.write("licences.csv", "\n".join(rows)))
    assert answer.code == 5
    found = [(bad["line"], bad["column"]) for bad in answer.json["bad"]]
    assert found == [(3, "plan"), (4, "user"), (5, "country"), (6, "from"), (7, "to"), (8, None)]
    assert (answer.json["bad_total"], answer.json["count"]) == (6, None)
    assert answer.error["code"] == "licences_have_errors"
    assert "line 3, column plan" in answer.err
    assert program("account", "show", "contoso")["licences"] == []


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (b"", 1, None),
        (b"user,plan\n\xff\n", 2, None),
        (b"user,color\nana,red\n", 1, "color"),
        (b'user,plan\n"ana,MCOPSTNPP\n', 2, None),
        (b"user,user,plan\n", 1, "user"),
    ],
)
def test_what_is_no_file_of_licences_is_refused_by_line(
    program: Program, content: bytes, line: int, column: str | None
) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--country", "US")
    answer = program.run("licence", "import", "contoso", program.write("licences.csv", content))
    assert answer.code == 5
    assert (answer.json["bad"][0]["line"], answer.json["bad"][0]["column"]) == (line, column)


def test_a_file_that_is_not_there_is_not_found(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--country", "US")
    for line in ("licence import contoso no.csv", "deck import no.csv --name x", "ingest no.csv --account contoso"):
        assert program.refused(3, *line.split())["code"] == "file_not_found"


def test_the_key_of_personal_data_is_made_beside_the_database_for_its_owner_alone(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--country", "US")
    program("licence", "assign", "contoso", "ana", "MCOPSTN1")
    key = program.directory / "commcredits.db.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.unlink()
    error = program.refused(2, "licence", "assign", "contoso", "bor", "MCOPSTN1")
    assert error["code"] == "master_key_missing"
    program.set("MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    assert program.refused(2, "licence", "assign", "contoso", "bor", "MCOPSTN1")["code"] == "wrong_master_key"


def test_postgresql_needs_migrate_and_a_master_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, postgres: str
) -> None:
    from pathlib import Path

    program = Program(monkeypatch, Path(str(tmp_path)), postgres)
    assert program.refused(4, "account", "list")["code"] == "schema_missing"
    assert program("migrate") == program("migrate")
    assert program.refused(2, "account", "open", "contoso", "--currency", "EUR")["code"] == "master_key_missing"
