"""Every setting: its type, default and meaning, and what an operator may write for it. Loading is `setting_sources.py`.

A setting `x` is `COMMCREDITS_X` in the environment, `x` in `commcredits.toml`, and `--x` where a command has that flag.
A secret may instead be named by a file: `COMMCREDITS_X_FILE`, `x_file`.
"""

# ruff: noqa: RUF009 - `_setting` answers a dataclass field, which ruff cannot see
import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from commcredits import values

PREFIX: Final = "COMMCREDITS_"
FILE_SUFFIX: Final = "_file"
MASKED: Final = "***"
SQLITE: Final = "sqlite:///"
POSTGRESQL: Final = "postgresql://"
MASTER_KEY_BYTES: Final = 32

_BROKER = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
_BROKERS = re.compile(rf"{_BROKER}(?:,{_BROKER})*", re.ASCII)
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}", re.ASCII)
_MAIL_URL = re.compile(r"smtp(?:s|\+starttls)?://(?:[^@/\s]+@)?[^@/\s:]+(?::[0-9]{1,5})?/?")
_URL_PASSWORD = re.compile(r"(://[^:/@?]*:).*(@)|((?:[?&]|%3F|%26)(?:ssl)?password=)[^&]*")


def store_url(text: str) -> str:
    """`sqlite:///PATH` or `postgresql://…`."""
    if text.startswith(POSTGRESQL) or (text.startswith(SQLITE) and len(text) > len(SQLITE)):
        return text
    raise ValueError(
        "is sqlite:///PATH (sqlite:////PATH where the path is absolute) or postgresql://USER@HOST/DATABASE"
    )


def brokers(text: str) -> str:
    """Kafka brokers, `host:port` each, comma separated."""
    if not _BROKERS.fullmatch(text):
        raise ValueError(f"is host:port, several separated by commas, not {text!r}")
    return text


def topic(text: str) -> str:
    """A Kafka topic's name."""
    if not _TOPIC.fullmatch(text):
        raise ValueError(f"is 1 to 249 of A-Z a-z 0-9 . _ -, not {text!r}")
    return text


def master_key(text: str) -> bytes:
    """Base64 of 32 bytes."""
    try:
        key = a2b_base64(text.strip(), strict_mode=True)
    except (Base64Error, ValueError):
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError("is the base64 of 32 random bytes, as `openssl rand -base64 32` writes it")
    return key


def secret(text: str) -> str:
    """A secret as it is, but for the line's end that a file has."""
    return text.rstrip("\r\n")


def mail_url(text: str) -> str:
    """`smtp://`, `smtps://` or `smtp+starttls://`, with user and password where the server wants them."""
    if not _MAIL_URL.fullmatch(text):
        raise ValueError("is smtp://HOST:PORT, smtps:// or smtp+starttls://, with USER:PASSWORD@ where it is needed")
    return text


def security_protocol(text: str) -> str:
    """How the broker is spoken to, in capitals."""
    return values.choice("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")(text.upper())


def _setting(default: Any, read: Callable[[str], Any], meaning: str, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"read": read, "meaning": meaning, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force; durations in seconds. See SETTINGS for names, defaults and meanings."""

    store: str = _setting(
        "sqlite:///commcredits.db", store_url, "where everything is kept: sqlite:///PATH or postgresql://…", secret=True
    )
    master_key: bytes | None = _setting(
        None,
        master_key,
        "base64 of 32 bytes, wraps the keys of personal data; SQLite makes DATABASE.key, PostgreSQL must be given it",
        secret=True,
    )
    plans: Path | None = _setting(None, Path, "a TOML file that adds plans to the catalogue")

    kafka_bootstrap: str | None = _setting(None, brokers, "brokers, comma separated; without it there is no Kafka")
    kafka_group: str = _setting("commcredits", values.name, "consumer group")
    kafka_security_protocol: str = _setting(
        "PLAINTEXT", security_protocol, "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    kafka_sasl_mechanism: str | None = _setting(
        None, values.choice("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"), "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    kafka_username: str | None = _setting(None, values.name, "SASL user")
    kafka_password: str | None = _setting(None, secret, "SASL password", secret=True)
    kafka_ca_file: Path | None = _setting(
        None, Path, "PEM file of the authorities that the broker's certificate is from"
    )
    kafka_cert_file: Path | None = _setting(None, Path, "PEM file of the client's certificate")
    kafka_key_file: Path | None = _setting(None, Path, "PEM file of the client's key")
    kafka_session: int = _setting(
        6, values.duration_seconds, "how long a consumer may be silent before another takes over, such as 6s"
    )
    kafka_patience: int = _setting(60, values.duration_seconds, "how long a broker that does not answer is waited for")
    store_patience: int = _setting(
        60, values.duration_seconds, "how long `consume`, `project` and `work` wait for a store that is away"
    )
    topic_calls: str = _setting("call-usage", topic, "topic of all usage but conferences")
    topic_conferences: str = _setting("conference-usage", topic, "topic of conference usage")

    currency: str | None = _setting(None, values.currency, "currency of an account opened without --currency")
    country: str | None = _setting(None, values.country, "country of an account opened without --country")
    time_zone: str = _setting("UTC", values.time_zone, "time zone of new accounts: where their months begin")
    scale: int = _setting(4, values.whole(0, 8), "decimals of a new account's amounts")
    deck: str | None = _setting(
        None, values.name, "rate deck of new accounts; else `default`, else the currency's only one"
    )
    pricing: str = _setting("rated", values.choice("rated", "as-priced"), "new accounts: rated by deck, or as priced")
    expiry_months: int = _setting(12, values.whole(1, 1200), "months after which a new account's funds expire")
    expiry_grace: int = _setting(
        72 * 3600, values.duration_seconds, "how long late usage may still draw on what expired, such as 72h"
    )
    zero_second_fee: bool = _setting(False, values.yes_no, "whether a call of 0 seconds costs its connection fee")
    plan_pool_by: str = _setting(
        "assigned", values.choice("assigned", "purchased"), "which licences size a calling plan's pool"
    )
    dialout_pool_by: str = _setting(
        "purchased", values.choice("purchased", "assigned"), "which licences size the conference dial-out pool"
    )
    after_dialout_pool: str = _setting(
        "credit", values.choice("credit", "plan"), "what pays dial-out after its pool: credit, or the user's plan first"
    )
    minimum_purchase: Decimal = _setting(
        Decimal(50), values.amount, "the least amount of a purchase or a recharge, in whole currency units"
    )

    retry_schedule: tuple[int, ...] = _setting(
        (3600, 6 * 3600, 24 * 3600, 72 * 3600),
        values.durations,
        "when a recharge that was declined for now is tried again, each counted from the try before, such as 1h,6h,24h",
    )
    action_timeout: int = _setting(
        72 * 3600, values.duration_seconds, "how long a customer has to confirm a recharge with the bank"
    )
    recharges_per_hour: int = _setting(
        5, values.whole(1, 1000), "more recharges of one account in an hour suspend its auto-recharge"
    )
    unusual_factor: Decimal = _setting(
        Decimal(4),
        values.amount,
        "a notice when the last hour cost so many times the same hours of the last four weeks",
    )
    unusual_floor: Decimal = _setting(
        Decimal(20), values.amount, "what an hour must have cost at least for that notice"
    )

    stripe_api_key: str | None = _setting(
        None, secret, "Stripe's secret key; without it there are no cards", secret=True
    )
    stripe_api_base: str = _setting(
        "https://api.stripe.com", values.web_address, "where Stripe answers; `sandbox stripe` prints its own"
    )
    stripe_webhook_secret: str | None = _setting(
        None,
        secret,
        "what Stripe signs its webhooks with (whsec_…); while it is being rolled two, comma separated",
        secret=True,
    )
    public_url: str = _setting(
        "http://127.0.0.1:8080", values.web_address, "the address under which customers reach `serve`"
    )
    api_token: str | None = _setting(None, secret, "what `serve` wants to see as a Bearer token", secret=True)
    smtp_url: str | None = _setting(
        None,
        mail_url,
        "where notices are mailed: smtp://USER:PASSWORD@HOST:PORT, smtps:// or smtp+starttls://",
        secret=True,
    )
    mail_from: str = _setting("commcredits@localhost", values.name, "whom the mails are from")
    webhook_allow: tuple[str, ...] = _setting(
        (), values.networks, "networks of one's own that a webhook may reach, such as 10.1.0.0/16"
    )

    actor: str | None = _setting(None, values.name, "who the events of a command name; else the system's user")
    cache_accounts: int = _setting(20_000, values.whole(1, 10_000_000), "accounts a process keeps in memory")
    cache_keys: int = _setting(
        20_000, values.whole(1, 10_000_000), "keys of personal data a process keeps, 2.5 KB each"
    )
    batch_size: int = _setting(10_000, values.whole(1, 100_000), "the most usages of one commit")


class Setting(NamedTuple):
    """A setting's row of the table. `secret`: never shown, and may be named by a file."""

    name: str
    default: Any
    read: Callable[[str], Any]
    meaning: str
    secret: bool

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()

    def text(self, value: Any) -> str | None:
        """A value as it would be written, masked where secret; None where there is none."""
        if value is None:
            return None
        if self.name in ("store", "smtp_url"):
            return _URL_PASSWORD.sub(lambda found: f"{found[1] or found[3]}{MASKED}{found[2] or ''}", value)
        if self.secret:
            return MASKED
        if self.read is values.duration_seconds:
            return values.duration_text(value)
        if self.read is values.durations:
            return ",".join(map(values.duration_text, value))
        if isinstance(value, tuple):
            return ",".join(value)
        return ("no", "yes")[value] if isinstance(value, bool) else str(value)


SETTINGS: Final = tuple(
    Setting(each.name, each.default, each.metadata["read"], each.metadata["meaning"], each.metadata["secret"])
    for each in fields(Settings)
)
