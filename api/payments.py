"""What a payment provider and its customers ask: the webhook, and `/pay/{token}`, our links to the provider's pages."""

from html import escape
from typing import Annotated, Any, Final, Protocol

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from litestar.response import Redirect

from api.errors import UNAVAILABLE, Fault, FaultError, fault_of
from application.payments import ProviderError
from application.ports import StoreError
from application.visits import Link
from domain.errors import DomainError

MOST_EVENT_BYTES: Final = 1024 * 1024
MOST_READ_BYTES: Final = 32 * MOST_EVENT_BYTES
# the token is all that it takes to pay: it must not leave the page, nor stay anywhere
PAGE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TITLES: Final = {
    "done": "Thank you",
    "processing": "Your bank is still working on it",
    "failed": "That did not work",
    "ended": "There is nothing to do",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1.5rem}}</style>
</head><body><h1>{title}</h1><p>{message}</p><p>You can close this page.</p></body></html>
"""


class Desk(Protocol):
    """Where payments are seen to, in threads of its own."""

    async def receive(self, body: bytes, signature: str) -> None:
        """Keep an event of the provider's. Raises BadSignature, StoreUnavailable."""
        ...

    async def opened(self, token: str) -> Link:
        """A customer follows a link."""
        ...

    async def returned(self, token: str, session: str) -> Link:
        """The provider sends a customer back."""
        ...


def payments(desk: Desk, may_hear: bool) -> list[HTTPRouteHandler]:
    """The routes. `may_hear`: there is a secret to check webhooks with."""

    @post(
        "/providers/stripe/webhook",
        status_code=200,
        tags=["payments"],
        operation_id="stripe_webhook",
        security=[],
        request_max_body_size=None,  # it is counted here
    )
    async def stripe_webhook(
        request: Request[Any, Any, Any], stripe_signature: Annotated[str, Parameter(header="Stripe-Signature")] = ""
    ) -> dict[str, bool]:
        """An event of Stripe's. It is kept and answered; what it means is asked of Stripe afterwards."""
        body = await _body(request)
        if not may_hear:
            text = "webhooks cannot be checked: set COMMCREDITS_STRIPE_API_KEY and COMMCREDITS_STRIPE_WEBHOOK_SECRET"
            raise FaultError(Fault(UNAVAILABLE, "webhook_secret_missing", text))
        await desk.receive(body, stripe_signature)
        return {"received": True}

    @get("/pay/{token:str}", tags=["payments"], operation_id="pay", security=[], media_type="text/html")
    async def pay(
        token: Annotated[str, Parameter(max_length=1000)], back: str | None = None, session: str = ""
    ) -> Response[str]:
        """A customer's link: on to the provider's page, and back from it."""
        try:
            link = await (desk.returned(token, session) if back or session else desk.opened(token))
        except (DomainError, ProviderError, StoreError) as error:
            fault = fault_of(error)
            return page("Please try again later" if fault.status == UNAVAILABLE else "That did not work", fault)
        if link.url:
            return Redirect(link.url, status_code=303, headers=PAGE_HEADERS)
        return page(_TITLES[link.state], Fault(200, link.state, link.message))

    return [stripe_webhook, pay]


async def _body(request: Request[Any, Any, Any]) -> bytes:
    """What is too large is read to its end, within reason: who still writes would not see the answer."""
    body, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size <= MOST_EVENT_BYTES:
            body += piece
        elif size > MOST_READ_BYTES:
            break
    if size > MOST_EVENT_BYTES:
        raise FaultError(Fault(413, "too_large", f"an event has at most {MOST_EVENT_BYTES} bytes"))
    return bytes(body)


def page(title: str, fault: Fault) -> Response[str]:
    """A page that says one thing."""
    message = escape(fault.message[:1].upper() + fault.message[1:].rstrip(".") + ".")
    text = _PAGE.format(title=escape(title), message=message)
    return Response(text, status_code=fault.status, headers=PAGE_HEADERS, media_type="text/html")
