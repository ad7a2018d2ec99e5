"""Whether a webhook is Stripe's: `Stripe-Signature: t=UNIX,v1=HEX[,v1=…]`, HMAC-SHA256 over `t.raw body`.

Several v1 while a secret is being rolled, on either side: one that fits is enough. Of our own, since the library
decodes the body first and reads the clock itself.
"""

import hmac
import re
from collections.abc import Sequence
from typing import Final

from application.payments import BadSignature

MAX_AGE_SECONDS: Final = 300
_SECOND: Final = 1_000_000
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)


def check_signature(body: bytes, header: str, secrets: Sequence[str], now: int) -> None:
    """`now` in microseconds. Raises BadSignature."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value.encode() for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not given:
        raise BadSignature("no Stripe-Signature of the form t=UNIX,v1=HEX")
    signed = times[0].encode() + b"." + body
    expected = [hmac.digest(secret.encode(), signed, "sha256").hex().encode() for secret in secrets]
    fits = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in given]
    if not any(fits):
        raise BadSignature("the signature fits no secret; is COMMCREDITS_STRIPE_WEBHOOK_SECRET this endpoint's?")
    if now - int(times[0]) * _SECOND > MAX_AGE_SECONDS * _SECOND:
        raise BadSignature(f"signed more than {MAX_AGE_SECONDS} seconds ago")
