"""Plans: which minutes a licence includes, and where it is sold. The catalogue itself is data (`domain/plan_file.py`).

A licence event carries the limits found here, so history does not depend on the catalogue.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

import msgspec

from domain.errors import Invalid, NotFound, Refused
from domain.events import Limits

# kind -> the minutes that its sizes give
KINDS: Final = {
    "domestic": ("domestic_minutes",),
    "domestic_or_international": ("domestic_minutes", "international_minutes"),
    "dialout": ("dialout_minutes",),
    "none": (),
}


class PlanSize(msgspec.Struct, frozen=True, array_like=True):
    """Minutes per licence and calendar month in some countries (none named: wherever no other size holds)."""

    countries: tuple[str, ...]
    domestic_minutes: int = 0
    international_minutes: int = 0
    dialout_minutes: int = 0


class Plan(msgspec.Struct, frozen=True, array_like=True):
    """A plan by its capability code."""

    code: str
    kind: str
    pooled: bool
    sizes: tuple[PlanSize, ...]
    name: str = ""

    def limits(self, country: str) -> Limits | None:
        """What one licence includes in a country (ISO 3166 alpha-2); None where the plan is not offered."""
        if self.kind == "none":
            return Limits(self.kind, self.pooled, 0, 0, 0)
        for size in self.sizes:
            if not size.countries or country in size.countries:
                return Limits(
                    self.kind, self.pooled, size.domestic_minutes, size.international_minutes, size.dialout_minutes
                )
        return None


def limits_of(plans: Mapping[str, Plan], code: str, country: str) -> Limits:
    """The limits a licence gets.

    Raises NotFound `unknown_plan`, Invalid `missing_country`, Refused `plan_not_offered`.
    """
    plan = plans.get(code)
    if plan is None:
        close = get_close_matches(code.upper(), plans, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise NotFound("unknown_plan", f"there is no plan {code!r}{hint}", "plan")
    if not country and plan.kind.startswith("domestic"):
        raise Invalid("missing_country", f"plan {code} needs a country: the licence's or the account's", "country")
    limits = plan.limits(country)
    if limits is None:
        offered = ", ".join(sorted({name for size in plan.sizes for name in size.countries}))
        text = (
            f"plan {code} has no size for {country}, only for {offered}; a file named by COMMCREDITS_PLANS can add it"
        )
        raise Refused("plan_not_offered", text, "country")
    return limits


def merge(plans: Mapping[str, Plan], added: Mapping[str, Plan]) -> dict[str, Plan]:
    """Both catalogues. Of a plan in both, the added sizes come first and the other countries' stay.

    Raises Invalid `invalid_plans` where the two disagree on what the plan is.
    """
    merged = dict(plans)
    for code, plan in added.items():
        known = plans.get(code)
        if known is not None:
            if (known.kind, known.pooled) != (plan.kind, plan.pooled):
                text = (
                    f"plan {code} ships with kind {known.kind!r} and pooled {str(known.pooled).lower()}: only add sizes"
                )
                raise Invalid("invalid_plans", text, "kind")
            plan = Plan(code, plan.kind, plan.pooled, in_order((*plan.sizes, *known.sizes)), plan.name or known.name)
        merged[code] = plan
    return merged


def in_order(sizes: Iterable[PlanSize]) -> tuple[PlanSize, ...]:
    """Sizes as they are looked through: one for any country stands behind those that name theirs."""
    return tuple(sorted(sizes, key=lambda size: not size.countries))
