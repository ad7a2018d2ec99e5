"""Where settings come from: flags win over the environment, that over `commcredits.toml`, that over the defaults.

An unknown key in the file is an error that names the nearest known one. An unknown environment variable with the
prefix is only reported, since container platforms inject such; an empty one counts as not set.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from commcredits.settings import FILE_SUFFIX, PREFIX, SETTINGS, Setting, Settings
from commcredits.values import nearest
from domain.errors import Invalid

CONFIG_NAME: Final = "commcredits.toml"
DEFAULT, ENVIRONMENT, FLAG = "default", "environment", "flag"
_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)$")


class Loaded(NamedTuple):
    """Settings, where each came from (`flag`, `environment`, the file's name or `default`), and what was not known."""

    settings: Settings
    origins: dict[str, str]
    unknown_variables: tuple[str, ...]


class _Source(NamedTuple):
    """One place of settings: texts by setting name, and how an error names one of them."""

    origin: str
    texts: Mapping[str, str]
    places: Mapping[str, str]


def load_settings(
    flags: Mapping[str, str], environment: Mapping[str, str], config: Path | None = None, directory: Path | None = None
) -> Loaded:
    """The settings in force. `config`: what `--config` names; else `commcredits.toml` in `directory` where it is there.

    Raises Invalid: `config_missing`, `unknown_setting`, `invalid_setting`, `setting_conflict`.
    """
    sources = [
        _Source(FLAG, flags, {name: "--" + name.replace("_", "-") for name in flags}),
        _environment(environment),
        _file(config, directory or Path()),
    ]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        source = next((source for source in sources if _named(setting, source)), None)
        origins[setting.name] = DEFAULT if source is None else source.origin
        values[setting.name] = setting.default if source is None else _value(setting, source)
    settings = Settings(**values)
    _check_together(settings)
    return Loaded(settings, origins, unknown_variables(environment))


def unknown_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The variables with our prefix that are no setting."""
    known = {setting.variable for setting in SETTINGS}
    known |= {setting.variable + FILE_SUFFIX.upper() for setting in SETTINGS if setting.secret}
    return tuple(sorted(name for name in environment if name.startswith(PREFIX) and name not in known))


def _environment(environment: Mapping[str, str]) -> _Source:
    names = [setting.name for setting in SETTINGS] + [s.name + FILE_SUFFIX for s in SETTINGS if s.secret]
    texts = {name: text for name in names if (text := environment.get(PREFIX + name.upper()))}
    return _Source(ENVIRONMENT, texts, {name: PREFIX + name.upper() for name in texts})


def _file(config: Path | None, directory: Path) -> _Source:
    path = directory / CONFIG_NAME if config is None else config
    if config is None and not path.is_file():
        return _Source(CONFIG_NAME, {}, {})
    text = _read(path, "config_missing", "--config")
    places = {}
    texts = {}
    for key, value in _toml(path, text).items():
        places[key] = f"{path}, line {_line_of(text, key)}: {key}"
        texts[key] = _text(key, value, places[key])
    return _Source(str(path), texts, places)


def _toml(path: Path, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _TOML_LINE.search(str(error))
        where = f"{path}, line {found[1]}" if found else str(path)
        raise Invalid("invalid_setting", f"{where}: {_TOML_LINE.sub('', str(error)).strip()}") from None


def _text(key: str, value: Any, place: str) -> str:
    """A known key's value as text. Text, whole numbers and booleans are taken: a float is no way to write money."""
    names = [setting.name for setting in SETTINGS]
    names += [setting.name + FILE_SUFFIX for setting in SETTINGS if setting.secret]
    if key not in names:
        hint = nearest(key.lower().removeprefix(PREFIX.lower()), names)  # the file's keys go without the prefix
        raise Invalid("unknown_setting", f"{place} is no setting{hint}", key)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return str(value)
    raise Invalid("invalid_setting", f'{place} is text or a whole number: write {key} = "…"', key)


def _named(setting: Setting, source: _Source) -> bool:
    return setting.name in source.texts or (setting.secret and setting.name + FILE_SUFFIX in source.texts)


def _value(setting: Setting, source: _Source) -> Any:
    name, by_file = setting.name, setting.name + FILE_SUFFIX
    if setting.secret and by_file in source.texts:
        if name in source.texts:
            both = f"{source.places[name]} and {source.places[by_file]}"
            raise Invalid("setting_conflict", f"{both} are both set: keep one", name)
        place = source.places[by_file]
        text = _read(Path(source.texts[by_file]), "invalid_setting", place).rstrip("\r\n")
        if not text and setting.default is None:
            return None  # an empty file stands for no secret: containers are given one for each
    else:
        place, text = source.places[name], source.texts[name]
    try:
        return setting.read(text)
    except ValueError as error:
        raise Invalid("invalid_setting", f"{place} {error}", name) from None


def _read(path: Path, code: str, place: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Invalid(code, f"{place}: {path} cannot be read: {reason}", place.removeprefix("--")) from None


def _line_of(text: str, key: str) -> int:
    wanted = re.compile(rf"""\s*(?:\[\s*)?["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if wanted.match(line)), 1)


def _check_together(settings: Settings) -> None:
    """What no setting can be judged by alone."""
    if settings.kafka_security_protocol.startswith("SASL"):
        for name in ("kafka_sasl_mechanism", "kafka_username", "kafka_password"):
            if getattr(settings, name) is None:
                text = f"{settings.kafka_security_protocol} needs {PREFIX}{name.upper()} too"
                raise Invalid("setting_conflict", text, name)
    if (settings.kafka_cert_file is None) != (settings.kafka_key_file is None):
        text = f"{PREFIX}KAFKA_CERT_FILE and {PREFIX}KAFKA_KEY_FILE go together: set both or none"
        raise Invalid("setting_conflict", text, "kafka_cert_file")
    if settings.minimum_purchase != settings.minimum_purchase.to_integral_value():
        text = f"{PREFIX}MINIMUM_PURCHASE is whole currency units, not {settings.minimum_purchase}"
        raise Invalid("invalid_setting", text, "minimum_purchase")
