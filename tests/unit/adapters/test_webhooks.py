"""How a webhook is signed and named: what Standard Webhooks define."""

from __future__ import annotations

from base64 import b64decode

import pytest

from adapters.webhooks import Webhooks, signature
from domain.errors import Invalid, Refused


def test_the_signature_is_that_of_the_reference_libraries() -> None:
    """The vector that the Standard Webhooks libraries test themselves with."""
    secret = b64decode("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".removeprefix("whsec_"))
    body = b'{"test": 2432232314}'

    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://example.com/",
            "example.com",
            "https://",
            "https://user:word@example.com/",
            "https://a b/",
            "https:///x",
        ),
        *(
            "https://example.com:0/",
            "https://example.com:99999/",
            "https://primér.com/",
            "http://[::1/",
            "https://a/\r\nX: y",
        ),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        Webhooks([]).check(url)

    assert (refused.value.code, refused.value.field) == ("invalid_url", "url")


@pytest.mark.parametrize("url", ["http://127.0.0.1/hook", "https://[::1]:8443/", "http://10.0.0.1", "http://0x7f.1/"])
def test_an_address_of_ones_own_is_refused_when_it_is_added(url: str) -> None:
    with pytest.raises(Refused) as refused:
        Webhooks([]).check(url)

    assert refused.value.code == "webhook_not_allowed"


def test_a_setting_lets_it_and_a_name_without_address_may_get_one() -> None:
    Webhooks(["127.0.0.0/8"]).check("http://127.0.0.1/hook")
    Webhooks([]).check("https://no-such-host.invalid/hook")
