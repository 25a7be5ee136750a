from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from natster_tui.store.settings.options import ConnectionFlags
from natster_tui.store.settings.resolve import resolve_connection
from tests.store.settings.home import CREDS, JWT, SEED, Home


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda home: str(home.path / "missing.creds"), "No such file"),
        (lambda home: str(home.path), "is not a file"),
        (lambda home: home.write("x.creds", "hello"), "not a credentials file"),
        (lambda home: home.write("x.creds", CREDS.replace(SEED, "")), "not a credentials file"),
        (lambda home: home.write("x.creds", CREDS.replace(JWT, "")), "not a credentials file"),
        (lambda _home: "a\0b", "not a path"),
    ],
)
def test_a_bad_credentials_file_is_refused_by_name(
    home: Home, make: Callable[[Home], str], expected: str
) -> None:
    named = make(home)
    sentence = home.refusal(creds=named)
    assert expected in sentence
    assert named.replace("\0", "␀") in sentence
    assert "--creds" in sentence
    home.environ["NATS_CREDS"] = named
    assert "NATS_CREDS" in home.refusal()
    home.context("prod", creds=named)
    assert 'the creds of the nats context "prod"' in home.refusal(context="prod")


def test_tls_files(home: Home) -> None:
    cert, key = home.write("c.pem", "x"), home.write("k.pem", "x")
    home.environ.update(NATS_CERT=cert, NATS_KEY=key, NATS_CA=home.write("ca.pem", "x"))
    settings = home.resolve(server="tls://h")
    assert (settings.tls_cert, settings.tls_key) == (Path(cert), Path(key))
    assert settings.user_described == "certificate c.pem"
    del home.environ["NATS_KEY"]
    assert home.refusal() == "NATS_CERT is of no use alone: add --tls-key"
    assert "--tls-ca" in home.refusal(tls_ca="/nowhere.pem")


def test_without_a_home_directory_no_context_is_selected_and_a_tilde_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.context("prod", selected=True, url="nats://prod")
    del home.environ["HOME"]
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _uid: (_ for _ in ()).throw(KeyError("uid")))
    assert resolve_connection(ConnectionFlags(), home.environ) is None
    assert home.resolve(server="h").described == "nats://h:4222"
    assert "there is no home directory" in home.refusal(creds="~/a.creds")
    assert "without a home directory" in home.refusal(context="prod")
    assert home.resolve(context=str(home.path / ".config/nats/context/prod.json"))
    assert "not known here" in home.refusal(creds="~nobody-of-this-name/a.creds")
