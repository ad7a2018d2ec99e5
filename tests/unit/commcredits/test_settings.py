"""Settings: what wins, where each came from, what is refused, and that secrets stay secret."""

from base64 import b64encode
from decimal import Decimal
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest

from commcredits.setting_sources import Loaded, load_settings
from commcredits.settings import SETTINGS, Settings
from domain.errors import Invalid

KEY = bytes(range(32))
BY_NAME = {setting.name: setting for setting in SETTINGS}


def load(tmp_path: Path, file: str | None = None, flags: dict[str, str] | None = None, /, **environment: str) -> Loaded:
    """Settings from a file in an own directory, the environment and flags."""
    if file is not None:
        (tmp_path / "commcredits.toml").write_text(file, encoding="utf-8")
    return load_settings(flags or {}, environment, directory=tmp_path)


def refused(tmp_path: Path, file: str | None = None, /, **environment: str) -> Invalid:
    """The error of settings that cannot be."""
    with pytest.raises(Invalid) as error:
        load(tmp_path, file, {}, **environment)
    return error.value


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert loaded.settings == Settings()
    assert loaded.settings.store == "sqlite:///commcredits.db"
    assert loaded.settings.topic_calls == "call-usage"
    assert loaded.settings.minimum_purchase == Decimal(50)
    assert set(loaded.origins.values()) == {"default"}


def test_a_flag_wins_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    file = 'store = "sqlite:///file.db"\nkafka_group = "file"\nscale = 2'
    environment = {"COMMCREDITS_STORE": "sqlite:///environment.db", "COMMCREDITS_KAFKA_GROUP": "environment"}
    loaded = load(tmp_path, file, {"store": "sqlite:///flag.db"}, **environment)
    assert loaded.settings.store == "sqlite:///flag.db"
    assert loaded.settings.kafka_group == "environment"
    assert loaded.settings.scale == 2
    assert loaded.origins["store"] == "flag"
    assert loaded.origins["kafka_group"] == "environment"
    assert loaded.origins["scale"] == str(tmp_path / "commcredits.toml")
    assert loaded.origins["deck"] == "default"


def test_every_setting_can_be_set_by_environment_and_by_file(tmp_path: Path) -> None:
    texts = {
        "store": "postgresql://h/d", "master_key": b64encode(KEY).decode(), "plans": "p.toml",
        "kafka_bootstrap": "a:1,b:2", "kafka_group": "g", "kafka_security_protocol": "sasl_ssl",
        "kafka_sasl_mechanism": "PLAIN", "kafka_username": "u", "kafka_password": "p", "kafka_ca_file": "ca",
        "kafka_cert_file": "cert", "kafka_key_file": "key", "topic_calls": "c", "topic_conferences": "f",
        "kafka_session": "2s", "kafka_patience": "5s", "store_patience": "6s",
        "currency": "EUR", "country": "SI", "time_zone": "Europe/Ljubljana", "scale": "2", "deck": "d",
        "pricing": "as-priced", "expiry_months": "6", "expiry_grace": "24h", "zero_second_fee": "yes",
        "plan_pool_by": "purchased", "dialout_pool_by": "assigned", "after_dialout_pool": "plan",
        "minimum_purchase": "20", "actor": "ana", "cache_accounts": "7", "cache_keys": "8", "batch_size": "9",
        "retry_schedule": "1m,2m", "action_timeout": "1h", "recharges_per_hour": "9", "unusual_factor": "3",
        "unusual_floor": "7", "stripe_api_key": "sk", "stripe_api_base": "http://127.0.0.1:1", "api_token": "t",
        "stripe_webhook_secret": "whsec_x", "public_url": "https://x.example", "smtp_url": "smtp://h:25",
        "mail_from": "a@x.example", "webhook_allow": "10.0.0.0/8",
    }  # fmt: skip
    assert texts.keys() == BY_NAME.keys()
    by_environment = load_settings({}, {BY_NAME[name].variable: text for name, text in texts.items()})
    by_file = load(tmp_path, "\n".join(f'{name} = "{text}"' for name, text in texts.items()))
    assert by_environment.settings == by_file.settings
    assert set(by_environment.origins.values()) == {"environment"}
    for name, setting in BY_NAME.items():
        assert getattr(by_file.settings, name) != setting.default, name


def test_defaults_have_the_type_they_are_declared_with() -> None:
    hints = get_type_hints(Settings)
    for setting in SETTINGS:
        kinds = (hints[setting.name], *get_args(hints[setting.name]))
        assert type(setting.default) in [get_origin(kind) or kind for kind in kinds], setting.name
        if setting.default not in (None, ()):
            assert setting.read(setting.text(setting.default) or "") == setting.default, setting.name


def test_every_setting_says_what_it_means() -> None:
    assert all(len(setting.meaning) > 8 for setting in SETTINGS)


def test_the_file_takes_whole_numbers_and_booleans(tmp_path: Path) -> None:
    loaded = load(tmp_path, "scale = 3\nzero_second_fee = true\nminimum_purchase = 20")
    assert loaded.settings.scale == 3
    assert loaded.settings.zero_second_fee is True
    assert loaded.settings.minimum_purchase == Decimal(20)


def test_an_unknown_key_in_the_file_is_an_error_that_names_line_and_nearest(tmp_path: Path) -> None:
    error = refused(tmp_path, 'scale = 2\nkafka_boostrap = "x:1"')
    assert error.code == "unknown_setting"
    assert error.field == "kafka_boostrap"
    assert "commcredits.toml, line 2: kafka_boostrap is no setting; did you mean kafka_bootstrap?" in error.message


@pytest.mark.parametrize(
    ("file", "code", "says"),
    [
        ("[kafka]\ngroup = 'x'", "unknown_setting", "line 1: kafka is no setting"),
        ("COMMCREDITS_SCALE = 2", "unknown_setting", "COMMCREDITS_SCALE is no setting; did you mean scale?"),
        ("scale = \n", "invalid_setting", "line 1"),
        ("scale = 9", "invalid_setting", "line 1: scale is a whole number from 0 to 8, not '9'"),
        ("\n\nminimum_purchase = 20.5", "invalid_setting", 'line 3: minimum_purchase is text or a whole number: write'),
        ("store = ['a']", "invalid_setting", "store is text"),
        ("minimum_purchase = '20.50'", "invalid_setting", "whole currency units"),
        ("expiry_grace = 72", "invalid_setting", "such as 72h"),
        ("master_key = 'x'\nmaster_key_file = 'y'", "setting_conflict", "keep one"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, file: str, code: str, says: str) -> None:
    error = refused(tmp_path, file)
    assert error.code == code
    assert says in error.message


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("STORE", "mysql://x", "sqlite:///PATH"),
        ("STORE", "sqlite://x.db", "sqlite:///PATH"),
        ("STORE", "sqlite:///", "sqlite:///PATH"),
        ("KAFKA_BOOTSTRAP", "a:1, b:2", "host:port"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "PLAINTEXT, SSL"),
        ("TOPIC_CALLS", "a b", "1 to 249"),
        ("CURRENCY", "EURO", "ISO 4217"),
        ("TIME_ZONE", "Mars/Olympus", "IANA"),
        ("SCALE", "four", "whole number from 0 to 8"),
        ("MASTER_KEY", "c2hvcnQ=", "base64 of 32 random bytes"),
        ("MASTER_KEY", "ä", "base64 of 32 random bytes"),
    ],
)
def test_a_wrong_variable_is_refused_and_named(tmp_path: Path, variable: str, text: str, says: str) -> None:
    error = refused(tmp_path, **{f"COMMCREDITS_{variable}": text})
    assert error.code == "invalid_setting"
    assert error.field == variable.lower()
    assert error.message.startswith(f"COMMCREDITS_{variable} is ")
    assert says in error.message


def test_a_secret_may_be_named_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b64encode(KEY) + b"\n")
    (tmp_path / "password").write_text("s3 cret\r\n")
    loaded = load(
        tmp_path,
        COMMCREDITS_MASTER_KEY_FILE=str(tmp_path / "key"),
        COMMCREDITS_KAFKA_PASSWORD_FILE=str(tmp_path / "password"),
    )
    assert loaded.settings.master_key == KEY
    assert loaded.settings.kafka_password == "s3 cret"
    assert loaded.origins["master_key"] == "environment"
    assert loaded.unknown_variables == ()


def test_a_secrets_file_in_the_environment_wins_over_the_secret_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("environment")
    loaded = load(tmp_path, 'kafka_password = "file"', COMMCREDITS_KAFKA_PASSWORD_FILE=str(tmp_path / "password"))
    assert loaded.settings.kafka_password == "environment"


def test_a_secret_and_its_file_are_not_both_set(tmp_path: Path) -> None:
    error = refused(tmp_path, COMMCREDITS_KAFKA_PASSWORD="a", COMMCREDITS_KAFKA_PASSWORD_FILE="b")
    assert error.code == "setting_conflict"
    assert "COMMCREDITS_KAFKA_PASSWORD and COMMCREDITS_KAFKA_PASSWORD_FILE are both set" in error.message


def test_a_secrets_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, COMMCREDITS_MASTER_KEY_FILE=str(tmp_path / "none"))
    assert error.code == "invalid_setting"
    assert f"COMMCREDITS_MASTER_KEY_FILE: {tmp_path / 'none'} cannot be read" in error.message


def test_no_error_repeats_a_secret(tmp_path: Path) -> None:
    assert "c2hvcnQ" not in refused(tmp_path, COMMCREDITS_MASTER_KEY="c2hvcnQ=").message
    assert "s3cret" not in refused(tmp_path, COMMCREDITS_STORE="postgres://u:s3cret@h/d").message


def test_secrets_are_masked_where_settings_are_shown(tmp_path: Path) -> None:
    loaded = load(tmp_path, COMMCREDITS_KAFKA_PASSWORD="s3cret", COMMCREDITS_MASTER_KEY=b64encode(KEY).decode())
    assert BY_NAME["kafka_password"].text(loaded.settings.kafka_password) == "***"
    assert BY_NAME["master_key"].text(loaded.settings.master_key) == "***"
    assert "s3cret" not in repr(loaded)
    assert repr(KEY) not in repr(loaded)


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("postgresql://ana:s3cret@h:5/d", "postgresql://ana:***@h:5/d"),
        ("postgresql://ana@h/d?password=s3cret&x=1", "postgresql://ana@h/d?password=***&x=1"),
        ("postgresql://ana:s3@cret@h/d", "postgresql://ana:***@h/d"),
        ("postgresql://h/d?sslmode=require", "postgresql://h/d?sslmode=require"),
        ("sqlite:////var/lib/a@b:c.db", "sqlite:////var/lib/a@b:c.db"),
    ],
)
def test_a_stores_password_is_masked_and_the_rest_is_shown(store: str, shown: str) -> None:
    assert BY_NAME["store"].text(store) == shown


def test_an_unknown_variable_with_the_prefix_is_only_reported(tmp_path: Path) -> None:
    loaded = load(tmp_path, COMMCREDITS_STROE="x", COMMCREDITS_SERVICE_PORT="tcp://x", OTHER="y")
    assert loaded.settings == Settings()
    assert loaded.unknown_variables == ("COMMCREDITS_SERVICE_PORT", "COMMCREDITS_STROE")


def test_an_empty_file_stands_for_no_secret(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    environment = {"COMMCREDITS_STRIPE_API_KEY_FILE": str(empty), "COMMCREDITS_API_TOKEN_FILE": str(empty)}
    settings = load(tmp_path, **environment).settings
    assert (settings.stripe_api_key, settings.api_token) == (None, None)


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert load(tmp_path, COMMCREDITS_PLANS="", COMMCREDITS_KAFKA_PASSWORD="").settings == Settings()


def test_a_config_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"--config: .*none\.toml cannot be read") as error:
        load_settings({}, {}, tmp_path / "none.toml")
    assert (error.value.code, error.value.field) == ("config_missing", "config")


def test_a_config_file_that_was_named_is_read_instead_of_the_default_one(tmp_path: Path) -> None:
    (tmp_path / "commcredits.toml").write_text("scale = 2")
    (tmp_path / "other.toml").write_text("expiry_months = 6")
    settings = load_settings({}, {}, tmp_path / "other.toml", tmp_path).settings
    assert (settings.scale, settings.expiry_months) == (4, 6)


@pytest.mark.parametrize(
    "environment",
    [
        {"COMMCREDITS_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"},
        {"COMMCREDITS_KAFKA_CERT_FILE": "cert.pem"},
        {"COMMCREDITS_KAFKA_KEY_FILE": "key.pem"},
    ],
)
def test_settings_that_go_together_are_asked_for(tmp_path: Path, environment: dict[str, str]) -> None:
    assert refused(tmp_path, **environment).code == "setting_conflict"
