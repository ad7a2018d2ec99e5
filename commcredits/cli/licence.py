"""`licence assign|remove|import|purchased`: who holds which plan, and how many were bought."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, failure_of
from commcredits.cli.files import naming, open_file
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from application.administration import LicenceRow
    from consumers.licence_file import BadLicence, LicenceLine
    from domain.plans import Plan


def _account(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")


def _assign_options(parser: Parser) -> None:
    _account(parser)
    parser.positional("user", "UPN or object id, compared without case", values.name)
    parser.positional("plan", "the plan's capability code, such as MCOPSTN1", values.name)
    parser.option("--country", "the licence's country; else the account's", values.country, shown="US")
    parser.option("--from", "usage that started since; else all the past", values.instant, shown="TIME")
    parser.option("--to", "usage that started before; a date is inclusive", values.end_instant, shown="TIME")


def _remove_options(parser: Parser) -> None:
    _account(parser)
    parser.positional("user", "UPN or object id", values.name)
    parser.positional("plan", "the plan's capability code", values.name)


def _import_options(parser: Parser) -> None:
    _account(parser)
    parser.positional("file", "CSV with the columns user,plan,country,from,to", Path, shown="FILE.csv")


def _purchased_options(parser: Parser) -> None:
    _account(parser)
    parser.positional("plan", "the plan's capability code", values.name)
    parser.positional("count", "how many the organisation has bought", values.whole(0, 10_000_000))


def _assign(context: Context, arguments: Namespace) -> int:
    from application.administration import LicenceRow
    from domain.plans import limits_of

    engine = context.engine
    country = arguments.country or engine.accounts.get(arguments.account).settings.country
    limits = limits_of(engine.plans, arguments.plan, country)
    starts_at, ends_at = getattr(arguments, "from"), arguments.to
    row = LicenceRow(arguments.user, arguments.plan, country, starts_at, ends_at, limits)
    engine.administration.assign_licences(engine.by(), arguments.account, [row])
    context.output.document(
        {
            "account": arguments.account,
            "user": row.user,
            "plan": row.plan,
            "country": row.country or None,
            "from": None if starts_at is None else values.time_text(starts_at),
            "to": None if ends_at is None else values.time_text(ends_at),
        }
    )
    return DONE


def _remove(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    engine.administration.remove_licence(engine.by(), arguments.account, arguments.user, arguments.plan)
    context.output.document({"account": arguments.account, "user": arguments.user, "plan": arguments.plan})
    return DONE


def _purchased(context: Context, arguments: Namespace) -> int:
    from domain.plans import limits_of

    engine = context.engine
    country = engine.accounts.get(arguments.account).settings.country
    limits = limits_of(engine.plans, arguments.plan, country)
    engine.administration.purchase_licences(engine.by(), arguments.account, arguments.plan, arguments.count, limits)
    context.output.document({"account": arguments.account, "plan": arguments.plan, "count": arguments.count})
    return DONE


def _import(context: Context, arguments: Namespace) -> int:
    from consumers.licence_file import LicencesHaveErrors

    engine, output = context.engine, context.output
    default_country = engine.accounts.get(arguments.account).settings.country
    document: dict[str, Any] = {"account": arguments.account, "count": None, "bad": [], "bad_total": 0}
    try:
        with naming(arguments.file):
            rows = _rows(arguments.file, default_country, engine.plans)
    except LicencesHaveErrors as error:
        failure = failure_of(error)
        output.note(f"commcredits: {arguments.file}: {failure.message}")
        bad = [{"line": bad.line, "column": bad.column or None, "reason": bad.reason} for bad in error.bad]
        output.partial({**document, "bad": bad, "bad_total": error.bad_total}, failure)
        return failure.exit_code
    engine.administration.assign_licences(engine.by(), arguments.account, rows)
    output.document({**document, "count": len(rows)})
    return DONE


def _rows(path: Path, default_country: str, plans: "dict[str, Plan]") -> "list[LicenceRow]":
    """All licences of a file. Raises LicencesHaveErrors with all that is wrong in it."""
    from consumers.licence_file import BadLicence, LicencesHaveErrors, read_licences

    rows, bad = [], []
    with open_file(path, "file") as stream:
        for line in read_licences(stream):
            row = line if isinstance(line, BadLicence) else _row(line, default_country, plans)
            if isinstance(row, BadLicence):
                bad.append(row)
            else:
                rows.append(row)
    if bad:
        raise LicencesHaveErrors(bad)
    return rows


def _row(line: "LicenceLine", default_country: str, plans: "dict[str, Plan]") -> "LicenceRow | BadLicence":
    from application.administration import LicenceRow
    from consumers.licence_file import BadLicence
    from domain.errors import DomainError
    from domain.plans import limits_of

    column = "user"
    try:
        user = values.name(line.user)
        column = "country"
        country = values.country(line.country) if line.country else default_country
        column = "from"
        starts_at = values.instant(line.starts) if line.starts else None
        column = "to"
        ends_at = values.end_instant(line.ends) if line.ends else None
        if starts_at is not None and ends_at is not None and ends_at <= starts_at:
            raise ValueError("is after the licence begins")
    except ValueError as error:
        return BadLicence(line.line, column, f"{column} {error}")
    try:
        return LicenceRow(user, line.plan, country, starts_at, ends_at, limits_of(plans, line.plan, country))
    except DomainError as error:
        return BadLicence(line.line, error.field, error.message)


COMMANDS = (
    Command(
        "licence assign",
        "assigns a plan to a user",
        "commcredits licence assign contoso ana@contoso.com MCOPSTN1 --country US --from 2026-11-01",
        _assign_options,
        _assign,
    ),
    Command(
        "licence remove",
        "takes a plan from a user, from now on",
        "commcredits licence remove contoso ana@contoso.com MCOPSTN1",
        _remove_options,
        _remove,
    ),
    Command(
        "licence import",
        "assigns all licences of a file, or none",
        "commcredits licence import contoso licences.csv",
        _import_options,
        _import,
    ),
    Command(
        "licence purchased",
        "says how many licences of a plan were bought; sizes the conference pool",
        "commcredits licence purchased contoso MCOMEETADD 115",
        _purchased_options,
        _purchased,
    ),
)
