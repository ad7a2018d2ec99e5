"""Which addresses a webhook may reach."""

from __future__ import annotations

import time
from ipaddress import ip_address

import pytest

from adapters.addresses import Guard, NotAllowed

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:1.1.1.1"]
OWN = [
    *("127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "198.18.0.1", "192.0.2.1", "224.0.0.1", "239.255.255.250"),
    *("240.0.0.1", "255.255.255.255"),
    *("::1", "::", "fe80::1", "fe80::1%1", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1"),
    # IPv4 in the clothes of IPv6
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1", "2001:0:0:0:0:0:f5ff:fffe"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_reached(address: str) -> None:
    assert Guard([]).may_reach(ip_address(address))


@pytest.mark.parametrize("address", OWN)
def test_an_address_of_ones_own_networks_may_not(address: str) -> None:
    assert not Guard([]).may_reach(ip_address(address))


@pytest.mark.parametrize(
    ("network", "address", "may"),
    [
        ("10.1.0.0/16", "10.1.2.3", True),
        ("10.1.0.0/16", "10.2.0.1", False),
        ("10.1.0.0/16", "::ffff:10.1.2.3", True),
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.0/8", "::1", False),
        ("fd00::/8", "fd12::1", True),
    ],
)
def test_a_setting_lets_it(network: str, address: str, may: bool) -> None:
    assert Guard([network]).may_reach(ip_address(address)) is may


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0", "2130706433", "0x7f000001", "::1"])
def test_however_it_is_written_the_address_that_it_leads_to_counts(host: str) -> None:
    with pytest.raises(NotAllowed, match="COMMCREDITS_WEBHOOK_ALLOW"):
        Guard([]).resolve(host, 80, time.monotonic() + 10)


def test_one_address_of_ones_own_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", (address, 80)) for address in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr("adapters.addresses.socket.getaddrinfo", lambda *_, **__: found)

    with pytest.raises(NotAllowed, match=r"10\.0\.0\.1"):
        Guard([]).resolve("rebinding.example.com", 80, time.monotonic() + 10)
