"""Mail through real servers: plain, with TLS, with a login, and what goes wrong."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from adapters.mail import NoMailServer, SmtpServer
from application.notice_english import ENGLISH
from application.sending import Mail
from tests.support.certificates import Authority
from tests.support.receivers import MailBox, mail_server

MAIL = Mail("ntc-1.rcp-1", "ana@contoso.com", "sl", "Zadeva č", "Vsebina č\n", "<p>Vsebina č</p>")


def send(box: MailBox, *mails: Mail, scheme: str = "smtp", login: str = "", sender: str = "credits@example.com") -> Any:
    url = f"{scheme}://{login}{box.url.removeprefix('smtp://')}"
    return SmtpServer(url, sender, 5).send(mails or [MAIL])


def test_a_mail_has_what_it_must_have() -> None:
    with mail_server() as box:
        [answer] = send(box, sender="Krediti <credits@example.com>")

    assert answer == (True, "taken by the mail server", False)
    [mail] = box.mails
    assert box.envelopes == [("credits@example.com", ["ana@contoso.com"])]
    assert (mail["From"], mail["To"], mail["Subject"]) == (
        "Krediti <credits@example.com>",
        "ana@contoso.com",
        "Zadeva č",
    )
    assert mail["Message-ID"] == "<ntc-1.rcp-1@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "sl"
    assert mail["Date"]
    assert box.parts() == ("Vsebina č\n", "<p>Vsebina č</p>\n")


def test_a_sentence_that_begins_with_from_is_read_as_it_was_written() -> None:
    text = "From now on it is paid by credit.\n\nFrom whom?\n"
    html = f"<p>{'a' * 72}From now on it is paid by credit.</p>"  # a line ends before it when it is encoded
    with mail_server() as box:
        send(box, MAIL._replace(text=text, html=html))

    assert box.parts() == (text, html + "\n")


def test_the_sender_has_the_products_name_where_no_other_is_set() -> None:
    with mail_server() as box:
        send(box, sender="credits@example.com")

    assert box.mails[0]["From"] == f"{ENGLISH.product} <credits@example.com>"


def test_many_go_in_one_conversation_and_each_has_its_answer() -> None:
    with mail_server() as box:
        box.answer = lambda to: "550 no such person" if to.startswith("bor") else "250 OK"
        answers = send(box, MAIL, MAIL._replace(to="bor@contoso.com"), MAIL)

    assert [(each.delivered, each.final) for each in answers] == [(True, False), (False, True), (True, False)]
    assert len(box.mails) == 2


def test_a_server_that_ends_the_conversation_leaves_the_rest_untried() -> None:
    with mail_server() as box:
        box.answer = lambda to: "421 too much" if to.startswith("bor") else "250 OK"
        answers = send(box, MAIL, MAIL._replace(to="bor@contoso.com"), MAIL)

    assert [each.delivered for each in answers] == [True, False]
    assert "421" in answers[1].text


def test_nobody_listens() -> None:
    with mail_server() as box:
        pass
    [answer] = send(box)

    assert not answer.delivered
    assert not answer.final
    assert answer.text.startswith("ConnectionRefusedError")


def test_where_no_server_is_set_it_is_said() -> None:
    [answer] = NoMailServer().send([MAIL])

    assert not answer.delivered
    assert "COMMCREDITS_SMTP_URL" in answer.text


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_tls_with_a_server_that_somebody_vouches_for(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = _trusted(tmp_path, monkeypatch)
    options: dict[str, Any] = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context}
    with mail_server(**options) as box:
        assert send(box, scheme=scheme)[0].delivered
        monkeypatch.delenv("SSL_CERT_FILE")
        [refused] = send(box, scheme=scheme)

    assert "CERTIFICATE_VERIFY_FAILED" in refused.text
    assert len(box.mails) == 1


def test_starttls_with_a_server_that_has_none_sends_nothing() -> None:
    with mail_server() as box:
        [answer] = send(box, scheme="smtp+starttls")

    assert not answer.delivered
    assert box.mails == []


def test_a_login_with_signs_that_a_url_cannot_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"pa@ss:/w", handled=False)

    with mail_server(
        tls_context=_trusted(tmp_path, monkeypatch), authenticator=authenticate, auth_required=True
    ) as box:
        assert send(box, scheme="smtp+starttls", login="ana:pa%40ss%3A%2Fw@")[0].delivered
        [refused] = send(box, scheme="smtp+starttls", login="ana:wrong@")

    assert seen[0] == (b"ana", b"pa@ss:/w")
    assert refused.text.startswith("535 ")
    assert not refused.final


def _trusted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's context, and clients trust it."""
    authority = Authority(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return context
