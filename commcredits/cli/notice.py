"""`notice set|to|list`: when an account is told of something, who is told, and what became of it."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, WrongUse
from commcredits.cli.funds import at_scale
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from application.outbox import Delivery
    from application.recipients import Listed

LANGUAGES = ("en", "sl")
NONE = "none"
NEWEST = 100


def kinds(text: str) -> Sequence[str]:
    """Kinds of notices, comma separated; `recharge` stands for all that begin with it."""
    from domain.notices import KINDS

    found: list[str] = []
    for word in text.split(","):
        family = word.removesuffix("*").removesuffix(".") + "."
        meant = [kind for kind in KINDS if word and (kind == word or kind.startswith(family))]
        if not meant:
            families = sorted({kind.partition(".")[0] for kind in KINDS})
            raise ValueError(
                f"has no {word!r}{values.nearest(word, [*KINDS, *families])}; there are {', '.join(KINDS)}"
            )
        found += meant
    return found


def _threshold(text: str) -> Decimal | None:
    return None if text == NONE else values.amount(text)


def _set_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.option(
        "--low-balance", "tell when what can be spent falls below; none: never", _threshold, shown="A", required=True
    )


def _to_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.positional("email", "whom to tell", values.email)
    parser.option("--language", "en or sl (en)", values.choice(*LANGUAGES), shown="en|sl")
    parser.option("--kinds", "only these, such as balance.low,recharge (all)", kinds, shown="KINDS", many=True)
    parser.switch("--remove", "tell this address no more, and erase it")


def _list_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.option("--limit", f"the newest N only ({NEWEST})", values.whole(1, 1_000_000), shown="N")


def _set(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    threshold = arguments.low_balance
    if threshold is not None:
        threshold = at_scale(threshold, engine.accounts.get(arguments.account).scale, "low_balance")
    account = engine.administration.set_low_balance(engine.by(), arguments.account, threshold)
    context.output.document({"account": account.account_id, "low_balance": account.low_balance})
    return DONE


def _to(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    named = {"account": arguments.account, "email": arguments.email}
    if arguments.remove:
        if arguments.language or arguments.kinds:
            raise WrongUse("wrong_use", "--remove takes neither --language nor --kinds", "remove")
        engine.recipients.tell_no_more(arguments.account, arguments.email)
        context.output.document({**named, "removed": True})
        return DONE
    language, wanted = arguments.language or LANGUAGES[0], flat(arguments.kinds)
    engine.recipients.tell(arguments.account, arguments.email, language, wanted, engine.by().now)
    context.output.document({**named, "language": language, "kinds": wanted})
    if context.settings.smtp_url is None:
        context.output.note("no mail server is set yet: COMMCREDITS_SMTP_URL")
    return DONE


def flat(given: Sequence[Sequence[str]] | None) -> list[str]:
    """All kinds that were named, in order; none: all there are."""
    return sorted({kind for some in given or () for kind in some})


def _list(context: Context, arguments: Namespace) -> int:
    listed = context.engine.recipients.notices(arguments.account, arguments.limit or NEWEST)
    if context.output.json:
        context.output.document([notice_view(each) for each in listed])
    else:
        context.output.lines([line for each in listed for line in _for_people(each)])
    return DONE


def notice_view(listed: "Listed") -> dict[str, Any]:
    """A notice with its deliveries; `to` is null where the target was removed."""
    notice = listed.notice
    return {
        "id": notice.id,
        "account": notice.account,
        "kind": notice.kind,
        "occurred_at": values.time_text(notice.at),
        "facts": notice.facts,
        "deliveries": [
            {"id": each.id, "channel": each.channel, "to": listed.to.get(each.target) or None, **delivery_view(each)}
            for each in listed.deliveries
        ],
    }


def delivery_view(delivery: "Delivery") -> dict[str, Any]:
    """What became of a delivery; status pending, delivered, dead or cancelled."""
    return {
        "status": delivery.status,
        "attempts": [{"at": values.time_text(at), "answer": answer} for at, answer in delivery.tries],
        "next_at": values.time_text(delivery.next_at) if delivery.status == "pending" else None,
    }


def _for_people(listed: "Listed") -> list[Mapping[str, Any]]:
    told: list[Mapping[str, Any]] = [
        {"to": listed.to.get(each.target) or "(removed)", "status": each.status, "answer": last_answer(each)}
        for each in listed.deliveries
    ]
    nobody: Mapping[str, Any] = {"to": None, "status": None, "answer": None}
    head = {"occurred_at": values.time_text(listed.notice.at), "kind": listed.notice.kind}
    return [{**head, **each} for each in told or [nobody]]


def last_answer(delivery: "Delivery") -> str | None:
    """What the other side said last."""
    return delivery.tries[-1][1] if delivery.tries else None


COMMANDS = (
    Command(
        "notice set",
        "sets below which amount a notice of a low balance is given",
        "commcredits notice set contoso --low-balance 50",
        _set_options,
        _set,
    ),
    Command(
        "notice to",
        "tells an e-mail address what happens to an account from now on",
        "commcredits notice to contoso ana@contoso.com --language sl --kinds balance,recharge",
        _to_options,
        _to,
    ),
    Command(
        "notice list",
        "lists an account's notices: what went where, when, and what the other side answered",
        "commcredits notice list contoso --json",
        _list_options,
        _list,
    ),
)
