"""The pages a customer sees: saving a card (Checkout), and confirming with the bank (3-D Secure). Plain forms."""

from __future__ import annotations

from html import escape
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from commcredits.sandbox.stripe import payments, setups
from commcredits.sandbox.stripe.cards import TEST_CARDS
from commcredits.sandbox.stripe.errors import ApiError
from commcredits.sandbox.stripe.state import Object, State


class Page(NamedTuple):
    """A page, or where to go on."""

    status: int
    html: str = ""
    location: str = ""


_LAYOUT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}}
button,a{{font:inherit;margin:1rem 1rem 0 0;padding:.5rem 1rem}}label{{display:block}}
.note{{background:#fff3c4;color:#222;padding:.5rem 1rem}}.error{{color:#a00}}</style></head>
<body><p class="note">This is a sandbox, not Stripe. No card is charged.</p><h1>{title}</h1>{body}</body></html>
"""


def show(state: State, path: str) -> Page:
    """GET of a page."""
    match path.strip("/").split("/"):
        case ["c", "pay", session_id]:
            return _checkout(state, session_id, "")
        case ["3ds", intent_id, link]:
            return _bank(state, intent_id, link)
    return _nothing_here()


def post(state: State, path: str, form: str) -> Page:
    """POST of a page's form: `card`, or `action` (`complete`, `fail`, `cancel`)."""
    chosen = dict(parse_qsl(form))
    match path.strip("/").split("/"):
        case ["c", "pay", session_id]:
            return _choose(state, session_id, chosen)
        case ["3ds", intent_id, link]:
            return _confirm(state, intent_id, link, chosen.get("action", "complete") == "complete")
    return _nothing_here()


def _page(title: str, body: str, status: int = 200) -> Page:
    return Page(status, _LAYOUT.format(title=escape(title), body=body))


def _nothing_here() -> Page:
    return _page("There is nothing here", "<p>The address is wrong, or what it led to has ended.</p>", 404)


def _session(state: State, session_id: str) -> Object | None:
    if session_id not in state.objects["checkout.session"]:
        return None
    return setups.read_session(state, {}, session_id)


def _checkout(state: State, session_id: str, error: str, status: int = 200) -> Page:
    session = _session(state, session_id)
    if session is None:
        return _nothing_here()
    setups.finish_session(state, session)
    if session["status"] == "complete":  # back from the bank
        return Page(303, location=session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id))
    if session["status"] != "open":
        return _page("This session has expired", "<p>Ask for a new link.</p>", 410)
    cards = "".join(
        f'<label><input type="radio" name="card" value="{card}"{" checked" * (card == TEST_CARDS[0])}> {card}</label>'
        for card in TEST_CARDS
    )
    problem = f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
    cancel = f'<a href="{escape(session["cancel_url"])}">Cancel</a>' if session["cancel_url"] else ""
    fields = f"<fieldset><legend>Card</legend>{cards}</fieldset>"
    return _page(
        "Save a card", f'{problem}<form method="post">{fields}<button>Save card</button>{cancel}</form>', status
    )


def _choose(state: State, session_id: str, chosen: dict[str, str]) -> Page:
    session = _session(state, session_id)
    if session is None or session["status"] != "open":
        return _checkout(state, session_id, "")
    if chosen.get("action") == "cancel" and session["cancel_url"]:
        return Page(303, location=session["cancel_url"])
    try:
        setup = setups.choose_card(state, session, chosen.get("card", TEST_CARDS[0]))
    except ApiError as error:
        return _checkout(state, session_id, str(error), error.status)
    if setup["status"] == "requires_action":
        return Page(303, location=setup["next_action"]["redirect_to_url"]["url"])
    return _checkout(state, session_id, "")


def _waiting(state: State, intent_id: str, link: str) -> Object | None:
    """The intent, where it waits for the customer behind exactly this link."""
    kind = "payment_intent" if intent_id.startswith("pi_") else "setup_intent"
    intent = state.objects[kind].get(intent_id)
    url = f"{state.url}/3ds/{intent_id}/{link}"
    action = (intent or {}).get("next_action") or {}
    return intent if action.get("redirect_to_url", {}).get("url") == url else None


def _bank(state: State, intent_id: str, link: str) -> Page:
    intent = _waiting(state, intent_id, link)
    if intent is None:
        return _page("This link has ended", "<p>Nothing was paid through it.</p>", 410)
    amount = f"{intent['amount']} {intent['currency']} (minor units)" if "amount" in intent else "saving a card"
    form = (
        '<form method="post"><button name="action" value="complete">Complete authentication</button>'
        '<button name="action" value="fail">Fail authentication</button></form>'
    )
    return _page("3-D Secure", f"<p>Your bank asks you to confirm: {escape(amount)}.</p>{form}")


def _confirm(state: State, intent_id: str, link: str, succeed: bool) -> Page:
    intent = _waiting(state, intent_id, link)
    if intent is None:
        return _bank(state, intent_id, link)
    back = intent["next_action"]["redirect_to_url"]["return_url"]
    if intent["object"] == "setup_intent":
        setups.setup_authenticated(state, intent, succeed)
    else:
        payments.authenticated(state, intent, succeed)
    return Page(303, location=_returning(back, intent))


def _returning(url: str, intent: Object) -> str:
    """The return address with what Stripe adds to it."""
    paid = intent["status"] in ("succeeded", "processing")
    added = {
        intent["object"]: intent["id"],
        f"{intent['object']}_client_secret": intent["client_secret"] or "",
        "redirect_status": "succeeded" if paid else "failed",
    }
    scheme, host, path, query, fragment = urlsplit(url)
    return urlunsplit((scheme, host, path, "&".join(filter(None, [query, urlencode(added)])), fragment))
