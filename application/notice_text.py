"""A notice as people read it: a mail's subject, text and HTML, in their language and the account's time zone."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from application.notice_english import ENGLISH
from application.notice_slovenian import SLOVENIAN
from application.notice_words import Language

LANGUAGES: Final = {language.code: language for language in (ENGLISH, SLOVENIAN)}
_MONEY: Final = frozenset(
    ("amount", "balance", "spendable", "threshold", "charged", "cap", "debt", "spent", "usual", "postpaid")
)
_TIMES: Final = frozenset(("next_try_at", "until", "expires_at", "hour"))
_LEAST_DECIMALS: Final = 2


class Text(NamedTuple):
    """A mail's."""

    subject: str
    text: str
    html: str


class About(NamedTuple):
    """What a notice is about, beside its facts."""

    id: str
    kind: str
    account: str
    name: str  # the account's, may be empty
    zone: str


def write(about: About, facts: Mapping[str, Any], language: str) -> Text:
    """`facts` as the notice has them, users by their names."""
    words = LANGUAGES[language]
    shown = {name: _shown(words, about.zone, name, value, facts) for name, value in facts.items() if value is not None}
    if about.kind == "card.expiring":
        shown["method"] = f"{facts['brand']} {facts['last4']}".strip()
    if facts.get("code") in words.causes and not facts.get("message"):
        shown["cause"] = words.causes[facts["code"]]  # of ours: a bank says it in its message
    says = words.kinds[about.kind]
    fields = _Fields(shown)
    account = f"{about.name} ({about.account})" if about.name else about.account
    subject = f"{words.product}: {says.subject.format_map(fields)} ({about.account})"
    sentences = [each.format_map(fields) for each in (says.says, says.advice) if each]
    rows = [(words.account, account)]
    rows += [(label, shown[name]) for name, label in words.labels.items() if shown.get(name)]
    sent = words.sent.format(id=about.id)
    link = shown.get("action_url", "")
    html = _html(words, subject, [_linked(each, link) for each in sentences], rows, sent, link)
    return Text(" ".join(subject.split()), _text(sentences, rows, sent), html)


class _Fields(dict[str, str]):
    """A fact that is not known is a dash."""

    def __missing__(self, name: str) -> str:
        return "–"


def _shown(words: Language, zone: str, name: str, value: Any, facts: Mapping[str, Any]) -> str:
    if name in _MONEY:
        return f"{_amount(Decimal(value)).replace('.', words.point)} {facts['currency']}"
    if name in _TIMES:
        at = datetime.fromisoformat(str(value)).astimezone(ZoneInfo(zone))
        return words.time.format(at, zone)
    if name == "cause":
        return words.causes.get(str(value), str(value))
    return str(value)


def _amount(amount: Decimal) -> str:
    """All decimals that say something, at least two."""
    text = f"{amount:f}"
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0").ljust(_LEAST_DECIMALS, "0")
    return f"{whole}.{decimals}"


def _text(sentences: list[str], rows: list[tuple[str, str]], sent: str) -> str:
    table = "\n".join(f"{label}: {value}" for label, value in rows)
    return "\n\n".join(["\n".join(sentences), table, sent]) + "\n"


def _html(
    words: Language, subject: str, sentences: list[str], rows: list[tuple[str, str]], sent: str, link: str
) -> str:
    said = "".join(f"<p>{each}</p>" for each in sentences)
    cells = "".join(
        f'<tr><th align="left">{escape(label)}</th><td>{_linked(value, link)}</td></tr>' for label, value in rows
    )
    return (
        f'<!doctype html><html lang="{words.code}"><head><meta charset="utf-8"><title>{escape(subject)}</title></head>'
        f'<body><h1 style="font-size:1.2em">{escape(words.product)}</h1>{said}<table>{cells}</table>'
        f'<p style="color:#666">{escape(sent)}</p></body></html>'
    )


def _linked(text: str, link: str) -> str:
    """As HTML. Only our own link can be followed."""
    if not link or link not in text:
        return escape(text)
    before, _, after = text.partition(link)
    return f'{escape(before)}<a href="{escape(link)}">{escape(link)}</a>{escape(after)}'
