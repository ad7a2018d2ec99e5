"""The command line: every promised command and option is there, and each mistake is one line and exit 2."""

import json
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commcredits import __version__
from commcredits.cli import main
from commcredits.cli.command import Command
from commcredits.cli.errors import WrongUse
from commcredits.cli.program import every_command

COMMANDS = {command.words: command for command in every_command()}
SHARED = {"-h", "--help", "--json", "--store", "--config", "--debug"}
SETTINGS_OPTIONS = (
    "--country --time-zone --name --deck --pricing --expiry-months --expiry-grace --zero-second-fee --plan-pool-by "
    "--dialout-pool-by --after-dialout-pool --when-empty"
)
# the interface's table: positionals, then options
PROMISED = {
    "migrate": "",
    "demo": "",
    "account open": f"ID --currency --scale --at {SETTINGS_OPTIONS}",
    "account list": "",
    "account show": "ID",
    "account set": f"ID {SETTINGS_OPTIONS}",
    "account close": "ID",
    "payment-method add": "ID --link --card --invoice --po",
    "payment-method list": "ID",
    "payment-method default": "ID METHOD",
    "payment-method remove": "ID METHOD",
    "funds add": "ID AMOUNT --reference --at --recharge --purchase --granted --expires",
    "funds buy": "ID AMOUNT --method --key",
    "funds refund": "ID LOT --amount --key --reason",
    "recharge set": "ID --amount --to --below --monthly-cap --method",
    "recharge every": "ID --amount --on-day",
    "recharge off": "ID --every",
    "recharge resume": "ID",
    "recharge show": "ID",
    "recharge simulate": "ID --amount --below --from --to",
    "budget set": "ID --user --amount --hard",
    "budget list": "ID",
    "budget remove": "ID --user",
    "licence assign": "ID USER PLAN --country --from --to",
    "licence remove": "ID USER PLAN",
    "licence import": "ID FILE.csv",
    "licence purchased": "ID PLAN COUNT",
    "deck import": (
        "FILE --name --from --currency --decimals --round --amend --dry-run --skip-bad --date-format --columns --unit "
        "--country-code"
    ),
    "deck list": "",
    "deck show": "N --format",
    "rate": "NUMBER SECONDS --deck --from-number --direction --at",
    "ingest": "FILE --account --format",
    "consume": "--processes --once --accept-gap",
    "project": "--once",
    "rebuild": "NAME",
    "work": "--once --at --only",
    "balance": "ID --stale",
    "statement": "ID --from --to --limit --stale",
    "explain": "USAGE_ID --account",
    "usage reverse": "USAGE_ID --account --key --reason",
    "authorize": "ID NUMBER --user --call-type --from-number --number-type --at",
    "forecast": "ID",
    "serve": "--host --port",
    "notice set": "ID --low-balance",
    "notice to": "ID EMAIL --language --kinds",
    "notice list": "ID",
    "webhook add": "URL --account --kinds",
    "webhook list": "",
    "webhook remove": "ID",
    "webhook test": "ID",
    "webhook deliveries": "ID",
    "webhook redeliver": "ID",
    "reconcile payments": "ID --all --from --to",
    "sandbox stripe": "--port",
    "dead-letters list": "",
    "dead-letters show": "ID",
    "retry": "ID --patch --reason --all",
    "discard": "ID --reason --note",
    "simulate": "--accounts --usages --rate --seed --out --kafka",
    "doctor": "",
    "settings": "",
}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a wrong command line."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"commcredits: [^\n]+\n", err)
    return err.removeprefix("commcredits: ").rstrip("\n")


def test_every_promised_command_is_there_and_no_other() -> None:
    assert COMMANDS.keys() == PROMISED.keys()


@pytest.mark.parametrize("words", PROMISED)
def test_a_command_takes_the_promised_words_and_options(words: str) -> None:
    parser = COMMANDS[words].parser()
    positionals = [action.metavar for action in parser._actions if not action.option_strings]
    promised = PROMISED[words].split()
    assert positionals == [name for name in promised if not name.startswith("-")]
    assert {name for name in promised if name.startswith("-")} | SHARED <= set(parser.flags())


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_commands_help_ends_with_an_example_that_it_takes(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command.words.split(), "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"usage: commcredits {command.words}")
    assert out.endswith(f"example:\n  {command.example}\n")
    words = shlex.split(command.example)
    assert words[: len(command.words.split()) + 1] == ["commcredits", *command.words.split()]
    command.parser().read(words[len(command.words.split()) + 1 :])


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {words} " in out for words in COMMANDS)


def test_a_first_words_help_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deck", "--help"]) == 0
    out = capsys.readouterr().out
    assert re.findall(r"^  (\w+ \w+)", out, re.MULTILINE) == ["deck import", "deck list", "deck show"]


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"commcredits {__version__}\n"
    assert main(["--version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": __version__}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "no command given; `commcredits --help` lists them"),
        ("balanse contoso", "unknown command 'balanse'; did you mean balance?"),
        ("statment contoso", "unknown command 'statment'; did you mean statement?"),
        ("rebuld balance", "unknown command 'rebuld'; did you mean rebuild?"),
        ("dead_letters list", "unknown command 'dead_letters'; did you mean dead-letters?"),
        ("version", "unknown command 'version'; did you mean --version?"),
        ("account", "account needs one of open, list, show, set, close; see `commcredits account --help`"),
        ("account opne x", "unknown command 'account opne'; did you mean open?"),
        ("deck frobnicate", "unknown command 'deck frobnicate'; it is one of import, list, show"),
        ("funds add x 5 --refrence r", "unknown option --refrence; did you mean --reference?"),
        ("funds add x --ammount 5", "unknown option --ammount; did you mean AMOUNT without a flag?"),
        ("recharge set x --ammount 50 --below 5", "unknown option --ammount; did you mean --amount?"),
        ("recharge set x --ammount=50 --below 5", "unknown option --ammount; did you mean --amount?"),
        ("--stor x balance y", "unknown option --stor; did you mean --store?"),
        ("balance x -q", "unknown option -q"),
        ("account set x --currency EUR", "unknown option --currency"),
        ("funds add x", "AMOUNT missing; usage: commcredits funds add ID AMOUNT [options]"),
        ("funds add", "ID and AMOUNT missing; usage: commcredits funds add ID AMOUNT [options]"),
        (
            "recharge set x --amount 5",
            "--below missing; usage: commcredits recharge set ID --below B [options]",
        ),
        ("ingest", "FILE missing; usage: commcredits ingest FILE [options]"),
        ("balance a b", "unexpected 'b'; usage: commcredits balance ID [options]"),
        ("balance --store", "--store needs a value"),
        ("balance --store --stale x", "--store needs a value"),
        ("funds add x 5 --at", "--at needs a value"),
        ("funds add x -5", "AMOUNT is digits and one point, at most 12 digits on each side, not '-5'"),
        ("funds add x 1e3", "AMOUNT is digits and one point, at most 12 digits on each side, not '1e3'"),
        ("balance a/b", "ID is 1 to 128 of A-Z a-z 0-9 . _ @ - and begins with a letter or digit, not 'a/b'"),
        ("account open x --currency EURO", "--currency is an ISO 4217 code such as EUR, not 'EURO'"),
        (
            "account open x --pricing as_priced",
            "--pricing is rated or as-priced, not 'as_priced'; did you mean as-priced?",
        ),
        ("account open x --scale 9", "--scale is a whole number from 0 to 8, not '9'"),
        (
            "statement x --from yesterday",
            "--from is a date or a time with its zone, such as 2026-11-22T10:00:00Z, not 'yesterday'",
        ),
        ("rate 12a 5", "NUMBER is digits with an optional + and a trailing * where masked, not '12a'"),
        ("rate 12 1.5", "SECONDS is a whole number from 0 to 2678400, not '1.5'"),
        (
            "rebuild balanse",
            "NAME is balance, statement, duties, notices or hours, not 'balanse'; did you mean balance?",
        ),
        ("deck import f --name n --unit 0", "--unit is more than 0, such as 0.0001"),
        (
            "deck import f --name n --country-code SI",
            "--country-code is a telephone country code such as 1 or 386, not 'SI'",
        ),
        ("retry --patch a=b 17", "--patch is FIELD=VALUE, not '17'; put the letter's ID before it"),
        ("settings --config /no/such.toml", "--config: /no/such.toml cannot be read: No such file or directory"),
        (
            "settings --store mysql://x",
            "--store is sqlite:///PATH (sqlite:////PATH where the path is absolute) or postgresql://USER@HOST/DATABASE",
        ),
        ("consume --kafka-bootstap x", "unknown option --kafka-bootstap; did you mean --kafka-bootstrap?"),
    ],
)
def test_a_wrong_command_line_is_one_line_that_names_the_mistake(
    line: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, *line.split()) == says


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ("balanse", "unknown_command", None),
        ("account", "missing_command", None),
        ("funds add x 5 --refrence r", "unknown_option", "refrence"),
        ("funds add x", "missing_argument", "amount"),
        ("recharge set x --amount 5", "missing_argument", "below"),
        ("balance a b", "unexpected_argument", None),
        ("balance a/b", "invalid_argument", "account"),
        ("licence purchased x P many", "invalid_argument", "count"),
        ("rate 1 2 --from-number x", "invalid_argument", "from_number"),
        ("funds add x 5 --at", "invalid_argument", "at"),
        ("settings --store mysql://x", "invalid_setting", "store"),
    ],
)
def test_with_json_the_failure_has_its_shape_on_stdout_and_its_line_on_stderr(
    line: str, code: str, field: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*line.split(), "--json"]) == 2
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert list(error) == ["code", "message", "field", "source"]
    assert (error["code"], error["field"], error["source"]) == (code, field, None)
    assert err == f"commcredits: {error['message']}\n"


def test_what_every_command_takes_may_stand_anywhere() -> None:
    for line in ("--json settings", "settings --json", "--store sqlite:///x.db --json settings --debug"):
        assert main(line.split()) == 0


@pytest.mark.parametrize(
    ("words", "line", "found"),
    [
        ("ingest", "a.csv --account contoso b.csv -", {"files": ["a.csv", "b.csv", "-"], "account": "contoso"}),
        ("rate", "+3861 --deck d 60", {"number": "+3861", "seconds": 60, "deck": "d"}),
        ("rate", "--at 1970-01-02 3861*** 0", {"number": "3861***", "seconds": 0, "at": 86_400_000_000}),
        ("retry", "17 --patch a=b --patch c= d=e=f", {"id": "17", "patch": [("a", "b"), ("c", ""), ("d", "e=f")]}),
        ("retry", "--all", {"id": None, "all": True, "patch": None}),
        ("account open", "x --expiry-grace 72h", {"expiry_grace": 259_200, "zero_second_fee": None}),
        ("account open", "x --zero-second-fee yes", {"zero_second_fee": True}),
        ("account set", "x", {"deck": None, "zero_second_fee": None, "time_zone": None}),
        ("deck import", "f --name n --columns prefix,name,,rate", {"columns": ("prefix", "name", "", "rate")}),
        ("deck import", "f --name n --date-format %d.%m.%Y", {"date_format": "%d.%m.%Y"}),
        ("licence assign", "x u p --to 1970-01-01", {"to": 86_400_000_000}),
    ],
)
def test_arguments_are_read(words: str, line: str, found: dict[str, object]) -> None:
    namespace = vars(COMMANDS[words].parser().read(line.split()))
    assert {name: namespace[name] for name in found} == found


@given(st.sampled_from(sorted(COMMANDS)), st.lists(st.text(max_size=12), max_size=5))
def test_any_arguments_are_read_or_refused_by_an_error_of_ours(words: str, arguments: list[str]) -> None:
    with suppress(WrongUse):
        COMMANDS[words].parser().read(arguments)


def imported_by(*arguments: str) -> set[str]:
    """The modules that a command line loads, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "commcredits", *arguments],
        capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[4],
    )  # fmt: skip
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_the_version_loads_nothing_of_ours() -> None:
    ours = {name for name in imported_by("--version") if name.startswith(("commcredits", "domain", "argparse"))}
    assert ours == {"commcredits", "commcredits.cli"}


def test_the_help_loads_nothing_heavy() -> None:
    heavy = ("msgspec", "orjson", "eventsourcing", "kafka", "psycopg", "cryptography", "application", "adapters")
    assert not {name for name in imported_by("--help") if name.split(".")[0] in heavy}
