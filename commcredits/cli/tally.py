"""How `ingest`, `consume --once` and `retry` tell what became of the records."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from commcredits.cli.errors import DONE, REFUSED_SOME

if TYPE_CHECKING:
    from application.ingest import Tally


def tally_view(tally: "Tally") -> dict[str, Any]:
    """`charged` in the one currency there was; with several it is null and stands under `charged_by_currency`.

    A currency in which nothing was charged counts only where nothing was charged in any.
    """
    view: dict[str, Any] = {
        "read": tally.read,
        "accepted": tally.accepted,
        "duplicates": tally.duplicates,
        "conflicts": tally.conflicts,
        "dead": tally.dead,
    }
    by_currency = {currency: amount for currency, amount in sorted(tally.charged.items()) if amount} or tally.charged
    if len(by_currency) > 1:
        return {**view, "charged": None, "currency": None, "charged_by_currency": by_currency}
    [(currency, charged)] = by_currency.items() or [(None, Decimal(0))]
    return {**view, "charged": charged, "currency": currency}


def exit_code_of(tally: "Tally") -> int:
    """Whether something was refused."""
    return REFUSED_SOME if tally.conflicts or tally.dead else DONE
