"""`forecast`, and `recharge simulate`: what an account's history says."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.funds import at_scale
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from application.forecast import Foreseen, SimulatedRecharge


def _forecast_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")


def _simulate_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.option("--amount", "what each recharge adds, in whole units", values.amount, shown="A", required=True)
    parser.option("--below", "triggers when the balance falls below", values.amount, shown="B", required=True)
    parser.option("--from", "since when; else since the account was opened", values.instant, shown="TIME")
    parser.option("--to", "until when, a date is inclusive; else now", values.end_instant, shown="TIME")


def _forecast(context: Context, arguments: Namespace) -> int:
    context.output.document(forecast_view(context.engine.forecasting.forecast(arguments.account)))
    return DONE


def _simulate(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    scale = engine.accounts.get(arguments.account).scale
    amount, below = (at_scale(getattr(arguments, name), scale, name) for name in ("amount", "below"))
    begin, end = getattr(arguments, "from"), arguments.to
    found = engine.forecasting.simulate_recharge(arguments.account, amount, below, begin, end)
    context.output.document({"account": arguments.account, "amount": amount, "below": below, **_simulation_view(found)})
    return DONE


def forecast_view(foreseen: "Foreseen") -> dict[str, Any]:
    """The shape in docs/reference/formats.md."""
    from domain.event import LOG

    account, found, position, read_at = foreseen
    advice = found.advice
    return {
        "account": account.account_id,
        "currency": account.currency,
        "spendable": account.spendable(read_at),
        "spend_per_day": found.per_day,
        "p10": found.p10,
        "p90": found.p90,
        "days_left": found.days_left,
        "empty_on": None if found.empty_on is None else found.empty_on.isoformat(),
        "basis": {"from": found.first_day.isoformat(), "days": found.days},
        "advice": None if advice is None else {"amount": advice.amount, "below": advice.below, "why": advice.why},
        "log": LOG,
        "position": position,
        "read_at": values.time_text(read_at),
    }


def _simulation_view(found: "SimulatedRecharge") -> dict[str, Any]:
    simulation = found.simulation
    suspended_at, nothing = simulation.suspended_at, found.start_balance - found.start_balance
    return {
        "currency": found.account.currency,
        "from": values.time_text(found.begin),
        "to": values.time_text(found.end),
        "start_balance": found.start_balance,
        "count": len(simulation.charges),
        "charged": sum((each.after - each.before for each in simulation.charges), nothing),
        "lowest_balance": simulation.lowest_balance,
        "lowest_at": values.time_text(simulation.lowest_at),
        "end_balance": simulation.end_balance,
        "suspended_at": None if suspended_at is None else values.time_text(suspended_at),
        "charges": [
            {"at": values.time_text(charge.at), "balance_before": charge.before, "balance_after": charge.after}
            for charge in simulation.charges
        ],
    }


SIMULATE = Command(
    "recharge simulate",
    "says what auto-recharge would have charged, and when, from the account's own history",
    "commcredits recharge simulate contoso --amount 100 --below 25 --from 2026-10-01",
    _simulate_options,
    _simulate,
)
COMMANDS = (
    Command(
        "forecast",
        "says how long the credit lasts at the spending so far, and advises on auto-recharge",
        "commcredits forecast contoso",
        _forecast_options,
        _forecast,
    ),
)
