"""Links of our own that lead a customer to a page of the provider: to save a card, to confirm a payment with the bank.

A token says all by itself and is signed under a secret of this store; what it may still do is decided when it comes
back, from the account's state.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final

import msgspec

from domain.errors import NotFound

SETUP: Final = "setup"
PAY: Final = "pay"
_SIGNATURE_BYTES: Final = 16


class Token(msgspec.Struct, frozen=True, array_like=True):
    """`kind`: setup (save a card) | pay (confirm the payment `of` a recharge or purchase)."""

    kind: str
    account: str
    of: str  # empty for setup


_decoder = msgspec.json.Decoder(Token)


class Links:
    """`digest` signs (16 bytes); `public_url`: where customers reach `serve`."""

    def __init__(self, digest: Callable[[bytes], bytes], public_url: str) -> None:
        self._digest, self._base = digest, f"{public_url.rstrip('/')}/pay/"

    def url(self, kind: str, account_id: str, of: str = "") -> str:
        """The link."""
        content = msgspec.json.encode(Token(kind, account_id, of))
        return self._base + urlsafe_b64encode(self._sign(content) + content).decode().rstrip("=")

    def back(self, kind: str, account_id: str, of: str = "") -> str:
        """Where the provider takes the customer back to."""
        return self.url(kind, account_id, of) + "?back=1"

    def read(self, token: str) -> Token:
        """Raises NotFound `unknown_link` for one that was not made here."""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            content = raw[_SIGNATURE_BYTES:]
            if raw[:_SIGNATURE_BYTES] == self._sign(content):
                return _decoder.decode(content)
        except ValueError as error:  # no base64, or no token
            raise _unknown() from error
        raise _unknown()

    def _sign(self, content: bytes) -> bytes:
        return self._digest(b"link\0" + content)


def _unknown() -> NotFound:
    return NotFound("unknown_link", "this link is not one of ours, or is not whole", "token")
