"""`licence assign|remove|import|purchased`: who holds which plan, and how many were bought."""

from pathlib import Path

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser


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


COMMANDS = (
    Command(
        "licence assign",
        "assigns a plan to a user",
        "commcredits licence assign contoso ana@contoso.com MCOPSTN1 --country US --from 2026-11-01",
        _assign_options,
        unwired,
    ),
    Command(
        "licence remove",
        "takes a plan from a user, from now on",
        "commcredits licence remove contoso ana@contoso.com MCOPSTN1",
        _remove_options,
        unwired,
    ),
    Command(
        "licence import",
        "assigns all licences of a file, or none",
        "commcredits licence import contoso licences.csv",
        _import_options,
        unwired,
    ),
    Command(
        "licence purchased",
        "says how many licences of a plan were bought; sizes the conference pool",
        "commcredits licence purchased contoso MCOMEETADD 115",
        _purchased_options,
        unwired,
    ),
)
