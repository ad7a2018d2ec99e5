"""`sandbox stripe`: a server that stands in for Stripe, for trials."""

from argparse import Namespace

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, WrongUse
from commcredits.cli.parser import Parser

WEBHOOK_PATH = "/providers/stripe/webhook"


def _options(parser: Parser) -> None:
    parser.option("--port", "where it listens, on 127.0.0.1 (any that is free)", values.whole(0, 65535), shown="P")
    parser.option("--webhook", "where it reports to (the public URL of `serve`)", values.web_address, shown="URL")


def _run(context: Context, arguments: Namespace) -> int:
    import signal

    from commcredits.sandbox.stripe.server import StripeSandbox
    from commcredits.stopping import SIGNALS

    secret = (context.settings.stripe_webhook_secret or "").partition(",")[0]
    webhook = arguments.webhook or context.settings.public_url + WEBHOOK_PATH
    try:
        sandbox = StripeSandbox(arguments.port or 0, secret)
    except OSError as error:
        raise WrongUse("port_in_use", f"port {arguments.port}: {error.strerror}; choose another", "port") from error
    sandbox.control.webhook(webhook)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # they are waited for, here and in no other thread
    with sandbox:
        shown = {
            "url": sandbox.url,
            "api_key": sandbox.api_key,
            "webhook_secret": sandbox.webhook_secret,
            "webhook": webhook,
        }
        context.output.document(shown, None if context.output.json else _for_people(shown))
        context.output.note("this is not Stripe: it keeps everything in memory and charges nobody; Ctrl-C ends it")
        signal.sigwait(SIGNALS)
    return DONE


def _for_people(shown: dict[str, str]) -> str:
    return (
        f"export COMMCREDITS_STRIPE_API_BASE={shown['url']}\n"
        f"export COMMCREDITS_STRIPE_API_KEY={shown['api_key']}\n"
        f"export COMMCREDITS_STRIPE_WEBHOOK_SECRET={shown['webhook_secret']}\n"
        f"# it reports to {shown['webhook']}"
    )


COMMANDS = (
    Command(
        "sandbox stripe",
        "a server that stands in for Stripe, for trials, until it is stopped",
        "commcredits sandbox stripe --port 12111",
        _options,
        _run,
    ),
)
