"""The table of exit codes: it names errors that exist, and translates each."""

from importlib import import_module

import pytest

from commcredits.cli import main
from commcredits.cli.errors import _TABLE, WrongUse, failure_of
from commcredits.cli.program import commands_of
from consumers.refusals import FileRefused
from domain.errors import Invalid, NotFound, Refused


@pytest.mark.parametrize("name", _TABLE)
def test_the_table_names_errors_that_exist(name: str) -> None:
    module, _, error = name.rpartition(".")
    assert issubclass(getattr(import_module(module), error), Exception)


@pytest.mark.parametrize(
    ("error", "exit_code", "code", "field"),
    [
        (Invalid("invalid_scale", "the scale is 0 to 8", "scale"), 2, "invalid_scale", "scale"),
        (WrongUse("unknown_option", "unknown option --x"), 2, "unknown_option", None),
        (NotFound("unknown_account", "there is no account x", "account"), 3, "unknown_account", "account"),
        (Refused("account_exists", "account x is open already", "account"), 5, "account_exists", "account"),
    ],
)
def test_a_rules_error_keeps_its_code_message_and_field(
    error: Exception, exit_code: int, code: str, field: str | None
) -> None:
    failure = failure_of(error)
    assert (failure.exit_code, failure.code, failure.field) == (exit_code, code, field)
    assert failure.message == str(error)


@pytest.mark.parametrize(
    ("name", "exit_code", "code"),
    [("SchemaMissing", 4, "schema_missing"), ("StoreUnavailable", 4, "store_unavailable")],
)
def test_a_stores_error_without_a_code_gets_the_tables(name: str, exit_code: int, code: str) -> None:
    error = getattr(import_module("application.ports"), name)("run `commcredits migrate`")
    failure = failure_of(error)
    assert (failure.exit_code, failure.code, failure.message) == (exit_code, code, "run `commcredits migrate`")


def test_a_refused_file_is_named_as_the_source() -> None:
    failure = failure_of(FileRefused("missing_columns", "it has no column UsageId", "UsageId", "export.csv"))
    assert (failure.exit_code, failure.code, failure.field) == (5, "missing_columns", "UsageId")
    assert failure.message == "export.csv: it has no column UsageId"
    assert failure.source == {"kind": "file", "name": "export.csv", "line": None}


def test_a_file_that_needs_the_account_option_is_wrong_use() -> None:
    assert failure_of(FileRefused("account_required", "give --account")).exit_code == 2


def test_an_error_that_the_table_does_not_know_is_a_fault_of_ours() -> None:
    failure = failure_of(ZeroDivisionError("division by zero"))
    assert (failure.exit_code, failure.code) == (70, "internal_error")
    assert "ZeroDivisionError: division by zero" in failure.message
    assert "--debug" in failure.message


@pytest.fixture
def broken_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `settings` command that fails as a bug of ours would."""
    (command,) = commands_of("settings").values()
    module = import_module("commcredits.cli.settings")
    monkeypatch.setattr(module, "COMMANDS", (command._replace(run=lambda *_: 1 // 0),))


@pytest.mark.usefixtures("broken_settings")
def test_a_traceback_is_printed_only_with_debug(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings"]) == 70
    quiet = capsys.readouterr()
    assert quiet.out == ""
    assert quiet.err.startswith("commcredits: a fault of ours: ZeroDivisionError")
    assert quiet.err.count("\n") == 1
    assert main(["settings", "--debug"]) == 70
    assert "Traceback" in capsys.readouterr().err
