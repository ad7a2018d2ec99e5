"""The plans this installation knows: the catalogue that ships, and the operator's file on top of it."""

from importlib.resources import files
from pathlib import Path

from domain.errors import Invalid
from domain.plan_file import PlanError, parse_plans
from domain.plans import Plan, merge


def load_plans(added: Path | None = None) -> dict[str, Plan]:
    """Plans by capability code. Raises Invalid `invalid_plans` naming file, plan, key and line."""
    shipped = parse_plans(files("commcredits").joinpath("plans.toml").read_text(encoding="utf-8"))
    if added is None:
        return shipped
    try:
        return merge(shipped, parse_plans(added.read_text(encoding="utf-8-sig")))
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{added}: cannot be read: {error}") from None
    except Invalid as error:
        raise Invalid(error.code, f"{added}: {error.message}", error.field) from None
