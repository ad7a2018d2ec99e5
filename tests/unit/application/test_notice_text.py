"""What people read: every kind in both languages, money, times and links as they are to be, nothing else as HTML."""

from __future__ import annotations

from string import Formatter
from typing import Any

import pytest

from application.notice_text import LANGUAGES, About, write
from domain.notices import KINDS, TEST_KIND

FACTS: dict[str, Any] = {
    **dict.fromkeys(("amount", "balance", "spendable", "threshold", "charged", "cap", "debt"), "1234.5000"),
    **dict.fromkeys(("spent", "usual", "postpaid"), "1234.5000"),
    **dict.fromkeys(("next_try_at", "until", "expires_at", "hour"), "2026-07-24T10:00:00Z"),
    "lot": "lot-2",
    "recharge": "rch-contoso-3",
    "purchase": "pur-contoso-4",
    "refund": "ref-contoso-5",
    "dispute": "dp-1",
    "method": "visa 4242",
    "brand": "visa",
    "last4": "4242",
    "expires": "2026-11",
    "days": 7,
    "message": "The bank declined.",
    "code": "generic_decline",
    "cause": "declined",
    "plan": "MCOPSTN5",
    "kind": "domestic",
    "country": "US",
    "user": "ana@contoso.com",
    "month": "2026-11",
    "minutes": 120,
    "used": 96,
    "hard": True,
    "currency": "EUR",
    "action_url": "https://credits.example.com/pay/abc?x=1&y=2",
}


def about(kind: str, name: str = "Contoso d.o.o.") -> About:
    return About("ntc-1", kind, "contoso", name, "Europe/Ljubljana")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [*KINDS, TEST_KIND])
def test_every_kind_has_words_in_each_language_and_names_only_what_there_is(kind: str, language: str) -> None:
    words = LANGUAGES[language].kinds[kind]
    named = {name for text in words for _, name, _, _ in Formatter().parse(text) if name}
    text = write(about(kind), FACTS, language)

    assert named <= set(FACTS)
    assert words.subject
    assert words.says
    assert "{" not in text.subject + text.text + text.html
    assert "–" not in text.text


def test_the_languages_say_the_same_things() -> None:
    english, slovenian = LANGUAGES["en"], LANGUAGES["sl"]

    assert english.labels.keys() == slovenian.labels.keys()
    assert english.causes.keys() == slovenian.causes.keys()
    for kind, words in english.kinds.items():
        assert bool(words.advice) == bool(slovenian.kinds[kind].advice), kind


def test_the_words_are_those_of_the_product() -> None:
    english = write(about("recharge.capped"), FACTS, "en")
    slovenian = write(about("recharge.capped"), FACTS, "sl")

    assert english.subject.startswith("Communication credits: Auto-recharge")
    assert slovenian.subject.startswith("Dobropisi za komuniciranje: Samodejno polnjenje")
    assert "Modify recharge settings" in english.text
    assert "Spremenite nastavitve polnjenja" in slovenian.text


def test_money_and_times_are_written_as_people_there_do() -> None:
    facts = {"amount": "50.0000", "balance": "0.12345", "until": "2026-07-24T10:00:00Z", "currency": "EUR"}
    english, slovenian = (write(about("recharge.action_required"), facts, language).text for language in ("en", "sl"))

    assert "Amount: 50.00 EUR" in english
    assert "Balance: 0.12345 EUR" in english
    assert "until 2026-07-24 12:00 (Europe/Ljubljana)" in english
    assert "Znesek: 50,00 EUR" in slovenian
    assert "do 24. 7. 2026 ob 12:00 (Europe/Ljubljana)" in slovenian


def test_what_is_not_known_is_a_dash() -> None:
    text = write(about("purchase.failed"), {"amount": None, "currency": "EUR"}, "en")

    assert text.subject == "Communication credits: The purchase of – failed (contoso)"


def test_a_purchase_that_nobody_confirmed_says_why() -> None:
    facts = {"amount": "50.0000", "code": "action_timeout", "message": "", "currency": "EUR"}
    english, slovenian = (write(about("purchase.failed"), facts, language).text for language in ("en", "sl"))

    assert "Cause: nobody confirmed it with the bank in time" in english
    assert "Vzrok: pri banki ni bilo pravočasno potrjeno" in slovenian
    declined = {**facts, "code": "declined", "message": "Your card was declined."}
    assert "Cause" not in write(about("purchase.failed"), declined, "en").text


def test_only_our_own_link_can_be_followed_and_nothing_else_is_markup() -> None:
    facts = {**FACTS, "message": "<script>alert(1)</script> see http://evil.example.com"}
    html = write(about("recharge.action_required", name="A & <b>B</b>"), facts, "en").html

    assert html.count("<a ") == 2
    assert html.count('<a href="https://credits.example.com/pay/abc?x=1&amp;y=2">') == 2
    assert "<script>" not in html
    assert "A &amp; &lt;b&gt;B&lt;/b&gt; (contoso)" in html


def test_a_subject_is_one_line() -> None:
    facts = {**FACTS, "plan": "MCO\r\nBcc: eve@example.com"}

    assert write(about("pool.80"), facts, "en").subject.splitlines() == [
        "Communication credits: 80% of the included minutes of MCO Bcc: eve@example.com are used (contoso)"
    ]
