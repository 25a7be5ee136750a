from __future__ import annotations

import pytest

from natster_tui.store.settings.secrets import revealed
from tests.store.settings.home import Home


@pytest.mark.parametrize(
    ("given", "servers"),
    [
        ("localhost", ("nats://localhost:4222",)),
        ("localhost:5", ("nats://localhost:5",)),
        ("NATS://Demo.nats.io/", ("nats://demo.nats.io:4222",)),
        ("[::1]", ("nats://[::1]:4222",)),
        ("tls://[::1]:5,", ("tls://[::1]:5",)),
        ("wss://h/path", ("wss://h/path",)),
        ("ws://h/", ("ws://h",)),
        ("wss://h:8443/nats/", ("wss://h:8443/nats",)),
        ("localhost:", ("nats://localhost:4222",)),
        ("nats://h1/, nats://h2:5/ ,h3", ("nats://h1:4222", "nats://h2:5", "nats://h3:4222")),
        ("ada:pw@h", ("nats://h:4222",)),
        ("t0ken@h:5", ("nats://h:5",)),
        ("tls://ada:pw@[::1]", ("tls://[::1]:4222",)),
        ("nats://[fe80::1%25eth0]:5", ("nats://[fe80::1%eth0]:5",)),
        ("h, h", ("nats://h:4222",)),
    ],
)
def test_server_addresses(home: Home, given: str, servers: tuple[str, ...]) -> None:
    assert home.resolve(server=given).servers == servers


@pytest.mark.parametrize(
    "given",
    ["http://h", "nats://", "nats://h:port", "nats://h:99999", "h:0", "nats://[::1", ",", "a b",
     "nats://h\x1b[31m", "nats://h,ws://h", "nats://ada:hunter2#x@h", "nats://hunter2#x@h",
     "hunter2/x@h"],
)  # fmt: skip
def test_what_is_no_server_address_is_refused(home: Home, given: str) -> None:
    sentence = home.refusal(server=given)
    assert "--server" in sentence
    assert "hunter2" not in sentence
    assert "\x1b" not in sentence


def test_an_ipv6_address_without_brackets_is_told_about_them(home: Home) -> None:
    assert "in brackets" in home.refusal(server="fe80::1:2")
    assert "in brackets" not in home.refusal(server="http://h")


@pytest.mark.parametrize(
    "given",
    ["http://hunter2", "socks4://hunter2", "socks5://", "socks5://h:hunter2", "socks5://a b"],
)
def test_what_is_no_proxy_is_refused_and_not_repeated(home: Home, given: str) -> None:
    for sentence in (
        home.refusal(server="h", socks_proxy=given),
        (home.context("prod", socks_proxy=given) and home.refusal(context="prod")),
    ):
        assert "is not the address of a SOCKS proxy" in sentence
        assert "hunter2" not in sentence


def test_a_proxys_password_has_ascii_characters_only(home: Home) -> None:
    sentence = home.refusal(server="h", socks_proxy="socks5://ada:hunter%C3%A4@h")
    assert "other characters than ASCII" in sentence
    assert "hunter" not in sentence


@pytest.mark.parametrize(
    ("given", "proxy"),
    [
        ("127.0.0.1", "socks5://127.0.0.1:1080"),
        ("socks5h://[::1]:5/", "socks5://[::1]:5"),
        ("socks5://ada:p%40w@h", "socks5://ada:p%40w@h:1080"),
    ],
)
def test_proxies_are_taken_in_these_forms(home: Home, given: str, proxy: str) -> None:
    settings = home.resolve(server="h", socks_proxy=given)
    assert revealed(settings.socks_proxy) == proxy
