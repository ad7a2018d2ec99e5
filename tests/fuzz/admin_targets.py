"""The other files that people hand in: licences, and catalogues of plans."""

from __future__ import annotations

import io
from contextlib import suppress

from consumers.licence_file import BadLicence, LicencesHaveErrors, read_licences
from domain.plan_file import PlanError, parse_plans
from tests.fuzz.mutations import Target

LICENCES = b"""\
user,plan,country,from,to
ana@contoso.com,MCOPSTN1,SI,2026-11-01,2026-11-30
"Bo, Li",MCOPSTNPP,,,
"""
PLANS = b"""\
[HOME]
name = "Home"
kind = "domestic"
pooled = true
sizes = [{ countries = ["US", "EU"], domestic_minutes = 3000 }]

[CONF]
kind = "dialout"
sizes = [{ dialout_minutes = 60 }]
"""


def check_licences(data: bytes) -> None:
    """Each row is a licence's texts, or bad with its line."""
    with suppress(LicencesHaveErrors):
        for row in read_licences(io.BytesIO(data)):
            assert row.line > 0
            assert not isinstance(row, BadLicence) or row.reason


def check_plans(data: bytes) -> None:
    """Each plan has sizes of whole minutes, or the file is refused by name, key and line."""
    with suppress(PlanError, UnicodeDecodeError):
        for plan in parse_plans(data.decode()).values():
            for size in plan.sizes:
                assert min(size.domestic_minutes, size.international_minutes, size.dialout_minutes) >= 0


ADMIN_TARGETS = [Target("licences", [LICENCES], check_licences, 2), Target("plans", [PLANS], check_plans, 2)]
