"""`demo`: the whole story on the embedded store, in a directory of its own, with the input of `examples/`. The Stripe
sandbox stands in for the payment provider.
"""

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from commcredits.cli.output import Output
from commcredits.sandbox.stripe.server import StripeSandbox
from commcredits.story import Story, StoryFailed, example

INPUT: Final = ("rates.csv", "licences.csv", "usage.ndjson", "pstn-usage.csv", "graph-page.json")
RETRY_SECONDS: Final = 1
SPLIT_CALL: Final = "9f0c6a52-0002"  # of usage.ndjson: begins in the last of the plan's minutes
SATELLITE_CALL: Final = {
    "usage_id": "sat-1",
    "account_id": "contoso",
    "user_id": "ana@contoso.com",
    "call_type": "user_out",
    "caller": "+38615550100",
    "callee": "+870773111222",
    "started_at": "2026-11-09T06:12:00Z",
    "duration_seconds": 170,
    "capability": "MCOPSTNPP",
    "currency": "EUR",
}


def demo(output: Output) -> dict[str, Any]:
    """Tells it; answers what it came to. Raises StoryFailed."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="commcredits-demo-"))
        stripe = stack.enter_context(StripeSandbox())
        pager = stack.enter_context(receiver())
        settings = {
            "store": "sqlite:///demo.db",
            "actor": "demo",
            "minimum_purchase": "20",
            "retry_schedule": f"{RETRY_SECONDS}s,6h,24h,72h",
            "stripe_api_key": stripe.api_key,
            "stripe_api_base": stripe.url,
            "stripe_webhook_secret": stripe.webhook_secret,
            "webhook_allow": "127.0.0.0/8",
        }
        story = Story(output, Path(folder), settings)
        for name in INPUT:
            shutil.copy(example(name), folder)
        open_account(story, partial(buy, pager=pager))
        take_files(story)
        return finish(story, lambda name: story.run(f"ingest {name}"), lambda recharge_id: charge_card(story, stripe))


def finish(story: Story, take: Callable[[str], object], pay: Callable[[str], Decimal]) -> dict[str, Any]:
    """From the dead letter to the end; `take` takes a file of usage in, `pay` sees to it that the money of a recharge
    comes and answers the balance. Answers what the story came to.
    """
    story.show("statement contoso --limit 20")
    mend(story)
    recharge_id = fall_below(story, take)
    paid = pay(recharge_id)
    explained = explain(story)
    return {
        "account": "contoso",
        "balance": prove(story, paid),
        "recharge_id": recharge_id,
        "explained": explained["usage_id"],
        "matches": explained["matches"],
        "seconds": story.seconds,
    }


def open_account(story: Story, fund: Callable[[Story], None]) -> None:
    """An account with a deck, money, licences and auto-recharge."""
    story.tell(
        "An organisation opens a prepaid account. Currency and scale are for ever; all that can change an amount is an "
        "event on the account, so that its history replays to the same cent anywhere."
    )
    story.run("account open contoso --currency EUR --country SI --time-zone Europe/Ljubljana --at 2026-11-01")
    story.tell("A carrier's price list is imported as it came: prefixes, ranges, increments, a price by origin.")
    story.run("deck import rates.csv --name default --currency EUR")
    story.run("rate +4915112345678 31 --from-number +38615550100")
    fund(story)
    story.tell("Users get their plans, and 60 dial-out minutes come with one conferencing licence.")
    story.run("licence import contoso licences.csv")
    story.run("licence purchased contoso MCOMEETADD 1")
    story.tell("Auto-recharge: 50 EUR whenever what can be spent falls below 10.")
    story.run("recharge set contoso --amount 50 --below 10")


def take_files(story: Story) -> None:
    """Files of three formats; a duplicate, and a call without a rate."""
    story.tell(
        "Usage comes in: a telephony system's NDJSON, a PSTN usage export, a page of Graph's call log. Included "
        "minutes pay first, then credit. One call came twice and is debited once; one has no rate and is kept as a "
        "dead letter."
    )
    story.run("ingest usage.ndjson", expect=1)
    story.run("ingest pstn-usage.csv --account contoso")
    story.run("ingest graph-page.json --account contoso")


def mend(story: Story) -> None:
    """The missing rate is added, and the dead letter retried."""
    story.tell("The dead letter says what is missing. The deck is amended, and the call taken in again.")
    story.show("dead-letters list --status open")
    story.write("poland.csv", b"Destination,Prefix,Rate,Increment\nPoland,48,0.0210,60/60\n")
    story.run("deck import poland.csv --name default --currency EUR --amend --from 2026-11-01")
    story.run("retry --reason no_rate")


def fall_below(story: Story, take: Callable[[str], object]) -> str:
    """A dear call triggers auto-recharge; answers the recharge's id."""
    story.tell("A call to a satellite phone is dear. What can be spent falls below 10: a recharge is triggered, once.")
    take(story.write("satellite.ndjson", json.dumps(SATELLITE_CALL).encode() + b"\n"))
    balance = story.run("balance contoso")
    recharge = balance["recharge"]
    if recharge["state"] != "triggered":
        raise StoryFailed(f"the recharge is {recharge['state']}, not triggered")
    recharge_id: str = recharge["recharge_id"]
    return recharge_id


def explain(story: Story) -> dict[str, Any]:
    """One charge, split between plan and credit, computed again from its record alone."""
    story.tell(
        "Why did that call of 200 seconds cost 0.18? Its record alone says: two minutes were left in the plan, credit "
        "paid the rest, rated from second 120 on."
    )
    explained: dict[str, Any] = story.run(f"explain {SPLIT_CALL}")
    return explained


def fund_by_invoice(story: Story) -> None:
    """20 EUR that came otherwise."""
    story.tell("20 EUR were paid by invoice, and are booked.")
    story.run("funds add contoso 20 --reference INV-2026-0117")


@contextmanager
def receiver() -> Iterator[str]:
    """The address of a web server that takes whatever it is sent."""

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The story tells what was sent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/credits"
        server.shutdown()


def buy(story: Story, pager: str) -> None:
    """20 EUR by card; whoever is to know is told by a webhook."""
    story.tell(
        "A card is saved with the provider and 20 EUR are bought with it. Here a SANDBOX STANDS IN FOR STRIPE: it "
        "takes no money, and behaves as Stripe documents. Only the provider's token, the brand, last digits and "
        "expiry are kept."
    )
    story.run("payment-method add contoso --card pm_card_visa")
    story.run("funds buy contoso 20 --key order-1")
    story.tell(
        "Notices go to people by e-mail and to systems by signed webhooks, such as the one of whoever is on call."
    )
    story.run(f"webhook add {pager} --account contoso", shown=False)
    story.remark(f"notices of contoso are sent to {pager}")


def charge_card(story: Story, stripe: StripeSandbox) -> Decimal:
    """The card is declined at first, the admin told at once, and the retry succeeds. Answers the balance."""
    story.tell(
        "`work` charges the card, and the bank declines. It is known at once, not on Monday, and tried again later."
    )
    [customer] = {each["customer"] for each in stripe.control.ledger()}
    stripe.control.card_answers(customer, ["insufficient_funds"])
    story.run("work --once --only recharges,notices")
    declined = story.run("recharge show contoso")
    if declined["state"] != "retrying":
        raise StoryFailed(f"the recharge is {declined['state']}, not retrying")
    story.show("notice list contoso --limit 3")
    story.tell(
        "The same payment is tried again when it is due (after an hour, unless set otherwise; here after a second), "
        "and succeeds: one recharge, one charge."
    )
    time.sleep(RETRY_SECONDS)
    story.run("work --once")
    balance = story.run("balance contoso", shown=False)["balance"]
    story.remark(f"the balance is {balance}")
    if len(stripe.control.ledger()) != 2:
        raise StoryFailed("the provider did not take the money exactly once")
    story.run("reconcile payments contoso")
    return Decimal(balance)


def settle_by_invoice(story: Story, recharge_id: str) -> Decimal:
    """The money comes otherwise, and ends the recharge. Answers the balance."""
    story.tell("The money comes by invoice and ends the recharge; it is armed again.")
    return Decimal(story.run(f"funds add contoso 50 --recharge {recharge_id} --reference INV-2026-0118")["balance"])


def prove(story: Story, paid: Decimal) -> str:
    """The read model is rebuilt to the same bytes. Answers the balance."""
    state = story.run("account show contoso", shown=False)["recharge"]["state"]
    story.remark(f"auto-recharge is {state}")
    story.tell("The balance, dropped and made again from the log, has the same bytes; and everything is in order.")
    balance = story.run("balance contoso", shown=False)["balance"]
    first, again = story.run("rebuild balance"), story.run("rebuild balance", shown=False)
    if state != "armed" or first["sha256"] != again["sha256"] or Decimal(balance) != paid:
        raise StoryFailed("the account is not what its history says")
    story.show("doctor")
    story.remark(f"That was the whole story, in {story.seconds} s.")
    shown: str = balance
    return shown
