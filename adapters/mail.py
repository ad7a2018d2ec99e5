"""Mail by SMTP: a text and an HTML part, the same Message-ID at each try, and marked as sent by a machine (RFC 3834).

`smtp://USER:PASSWORD@HOST:PORT`, `smtps://` (TLS from the start) or `smtp+starttls://` (TLS or nothing).
"""

import re
import smtplib
import ssl
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit

from application.sending import Answer, Mail

SECONDS: Final = 10.0  # for each step of a conversation
CONVERSATION_SECONDS: Final = 10.0  # after which no further mail is begun
CLOSING: Final = 421  # the server ends the conversation
_PORTS: Final = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_SHOWN_CHARACTERS: Final = 200
_LINE_OF_FROM: Final = re.compile("^From ", re.MULTILINE)  # smtplib would write >From (RFC 2049, 3)


class NoMailServer:
    """Where none is set."""

    def send(self, mails: Sequence[Mail]) -> list[Answer]:
        """Not now; it may be set later."""
        return [Answer(False, "not sent: no mail server is set (COMMCREDITS_SMTP_URL)") for _ in mails]


class SmtpServer:
    """`application.sending.MailServer`. `sender`: an address, with or without a name."""

    def __init__(self, url: str, sender: str, seconds: float = SECONDS) -> None:
        self._url, self._seconds = urlsplit(url), seconds
        name, address = parseaddr(sender)
        self._name, self._address = name or "Communication credits", address or sender

    def send(self, mails: Sequence[Mail]) -> list[Answer]:
        """One conversation for as many as it lasts for; what is left is for another one."""
        answers: list[Answer] = []
        end = time.monotonic() + CONVERSATION_SECONDS
        try:
            with self._connect() as server:
                while len(answers) < len(mails) and time.monotonic() < end:
                    answers.append(self._send(server, mails[len(answers)]))
        except (OSError, smtplib.SMTPException) as error:
            if len(answers) < len(mails):
                answers.append(Answer(False, _shown(error)))
        return answers

    def _connect(self) -> smtplib.SMTP:
        host, kind = self._url.hostname or "", self._url.scheme
        port = self._url.port or _PORTS[kind]
        tls = ssl.create_default_context()
        server: smtplib.SMTP
        if kind == "smtps":
            server = smtplib.SMTP_SSL(host, port, timeout=self._seconds, context=tls)
        else:
            server = smtplib.SMTP(host, port, timeout=self._seconds)
        try:
            if kind == "smtp+starttls":
                server.starttls(context=tls)
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
        except BaseException:
            server.close()
            raise
        return server

    def _send(self, server: smtplib.SMTP, mail: Mail) -> Answer:
        """Raises what breaks the conversation off."""
        try:
            server.send_message(self._message(mail), self._address, [mail.to])
        except smtplib.SMTPRecipientsRefused as error:
            code, said = error.recipients[mail.to]
            if code == CLOSING:
                raise smtplib.SMTPResponseException(code, _without(mail.to, _text(said))) from error
            return Answer(False, _without(mail.to, _said(code, said)), code >= 500)
        except smtplib.SMTPResponseException as error:
            if error.smtp_code == CLOSING:
                raise
            return Answer(False, _without(mail.to, _said(error.smtp_code, error.smtp_error)))
        return Answer(True, "taken by the mail server")

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = Address(self._name, addr_spec=self._address)
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{mail.id}@{self._address.rpartition('@')[2] or 'localhost'}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text, cte="quoted-printable")
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        for part in message.iter_parts():
            part.set_payload(_LINE_OF_FROM.sub("=46rom ", str(part.get_payload())))
        message["Content-Language"] = mail.language  # of both parts
        return message


def _said(code: int, said: bytes | str) -> str:
    return f"{code} {_text(said)}"


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said


def _shown(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _line(_said(error.smtp_code, error.smtp_error))
    return _line(f"{type(error).__name__}: {error}")


def _without(address: str, said: str) -> str:
    """Mail servers repeat the address, which is to be kept nowhere but in its sealed row."""
    place = said.lower().find(address.lower())
    while place >= 0:
        said = f"{said[:place]}the address{said[place + len(address) :]}"
        place = said.lower().find(address.lower())
    return _line(said)


def _line(text: str) -> str:
    return " ".join(text.split())[:_SHOWN_CHARACTERS]
