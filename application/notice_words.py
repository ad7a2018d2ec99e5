"""What a language has to say for notices; English and Slovenian are beside this file."""

from typing import NamedTuple


class Words(NamedTuple):
    """Of one kind; `{fields}` are the notice's facts as people read them. `advice` may be empty."""

    subject: str
    says: str
    advice: str


class Language(NamedTuple):
    """`point` of decimals; `time` formats a datetime (0) and the name of its zone (1); `labels` of facts in order."""

    code: str
    product: str
    account: str
    sent: str
    point: str
    time: str
    labels: dict[str, str]
    causes: dict[str, str]
    kinds: dict[str, Words]
