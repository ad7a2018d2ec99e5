"""How a request goes to Stripe, and what becomes of an answer that was lost.

The library repeats a request by itself (twice, with pauses, under the same idempotency key) after a cut connection, a
timeout, a 409 or a 5xx. What it then still does not know is ProviderUnavailable.

Stripe keeps the first answer to a key, a 500 too, and tells it again for a day. So after a 500 what was asked for is
looked up; only when it is not there, and the 500 was a kept one, the request goes out under the key's next name. So too
when the key was used with other parameters, such as the address of `serve` before it was moved.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

import stripe
from stripe import StripeObject

from adapters.payments.stripe_errors import has_failed, is_kept, translated
from application.payments import ProviderError, ProviderUnavailable

if TYPE_CHECKING:
    from stripe import RequestOptions

NAME: Final = "stripe"
MAX_KEYS: Final = 20  # names of one key, each with a kept 500
_Sent = TypeVar("_Sent", bound=StripeObject)
_Answer = TypeVar("_Answer")


def _nothing() -> None:
    return None


class Asking:
    """At one address: `https://HOST…`."""

    def __init__(self, api_base: str) -> None:
        self._host = urlsplit(api_base).netloc.rpartition("@")[2]

    @contextmanager
    def __call__(self, fields: Mapping[str, str] | None = None) -> Iterator[None]:
        """Whatever the library raises in here leaves as the port's error. `fields`: see `translated`."""
        try:
            try:
                yield
            except stripe.StripeError as error:
                raise translated(error, self._host, fields or {}) from error
        except ProviderError as error:
            error.source = {"kind": "provider", "name": NAME, "host": self._host}
            raise

    def write(
        self,
        key: str,
        send: "Callable[[RequestOptions], _Sent]",
        read: Callable[[_Sent], _Answer],
        look: Callable[[], _Answer | None] = _nothing,
        fields: Mapping[str, str] | None = None,
    ) -> _Answer:
        """`under` a key, with the port's errors."""
        with self(fields):
            return under(key, send, read, look)


def under(
    key: str,
    send: "Callable[[RequestOptions], _Sent]",
    read: Callable[[_Sent], _Answer],
    look: Callable[[], _Answer | None],
) -> _Answer:
    """Send under a key. `read` makes the answer of what Stripe sends back; `look` finds what a 500 did all the same."""
    for number in range(1, MAX_KEYS + 1):
        try:
            return read(send({"idempotency_key": key if number == 1 else f"{key}:{number}"}))
        except (stripe.APIError, stripe.IdempotencyError) as error:
            if not is_kept(error) and not has_failed(error):
                raise
            done = look()
            if done is not None:
                return done
            if not is_kept(error):
                raise
    raise ProviderUnavailable(f"Stripe has failed {MAX_KEYS} times to do the same; ask its support about key {key}")
