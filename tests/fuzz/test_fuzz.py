"""Mutated input of every format is taken or refused with a stable reason: nothing else ever comes out.

The gate checks 200,000 inputs from a fixed seed. `COMMCREDITS_FUZZ_SECONDS` (`make fuzz`) goes on for so long, from a
seed of its own, which a finding names.
"""

from __future__ import annotations

import os
import random
import time

from tests.fuzz.admin_targets import ADMIN_TARGETS
from tests.fuzz.deck_targets import DECK_TARGETS
from tests.fuzz.mutations import run
from tests.fuzz.usage_targets import USAGE_TARGETS

GATE_INPUTS = 200_000
GATE_SEED = 20_261_124
ROUND_INPUTS = 20_000
TARGETS = [*USAGE_TARGETS, *DECK_TARGETS, *ADMIN_TARGETS]


def test_mutated_input_is_taken_or_refused() -> None:
    seconds = float(os.environ.get("COMMCREDITS_FUZZ_SECONDS", "0"))
    run(TARGETS, GATE_SEED, GATE_INPUTS)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        run(TARGETS, random.SystemRandom().randrange(1 << 48), ROUND_INPUTS)
