from __future__ import annotations

import pytest

from natster_tui.store.settings.connection import ConnectionSettings
from tests.store.settings.home import Home


def test_a_context_is_read_as_the_nats_tool_reads_it(home: Home) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        home.write(f"tls/{name}", "x")
    home.environ["TLS"] = "tls"
    home.creds("x/a.creds")
    home.context(
        "prod",
        description="",
        url="nats://h1:1,tls://h2",
        socks_proxy="",
        creds="~/x/a.creds",
        ca="$HOME/${TLS}/ca.pem",
        cert="~/tls/cert.pem",
        key="file://~/tls/key.pem",
        inbox_prefix="_MINE",
        jetstream_domain="hub",
        jetstream_api_prefix="ignored",
        tls_first=True,
        nkey="",
        user=None,
        color_scheme="red",
    )
    settings = home.resolve(context="prod")
    assert settings == ConnectionSettings(
        servers=("nats://h1:1", "tls://h2:4222"),
        creds=home.path / "x/a.creds",
        tls_ca=home.path / "tls/ca.pem",
        tls_cert=home.path / "tls/cert.pem",
        tls_key=home.path / "tls/key.pem",
        tls_first=True,
        inbox_prefix="_MINE",
        js_domain="hub",
        origin="context prod",
        context="prod",
    )


def test_xdg_config_home_is_where_contexts_are(home: Home) -> None:
    home.write("xdg/nats/context/prod.json", '{"url":"nats://x"}')
    home.write("xdg/nats/context.txt", "prod")
    home.environ["XDG_CONFIG_HOME"] = str(home.path / "xdg")
    assert home.resolve().described == "nats://x:4222"


def test_a_context_may_be_named_by_its_path(home: Home) -> None:
    path = home.write("elsewhere/odd.json", '{"url":"nats://x"}')
    assert home.resolve(context=path).described == "nats://x:4222"


def test_an_unknown_context_is_refused_with_those_there_are(home: Home) -> None:
    assert "--server" in home.refusal(context="nope")
    home.context("prod")
    sentence = home.refusal(context="nope")
    assert '"nope"' in sentence
    assert "choose one of prod" in sentence


def test_a_selected_context_that_is_gone_or_broken_names_the_way_to_the_embedded_server(
    home: Home,
) -> None:
    home.context("prod")
    home.write(".config/nats/context.txt", "gone")
    gone = home.refusal()
    assert 'there is no nats context "gone", which is selected in the nats tool,' in gone
    assert "gone.json" in gone
    home.write(".config/nats/context/gone.json", "{")
    broken = home.refusal()
    home.environ["NATS_CONTEXT"] = "lost"
    lost = home.refusal()
    assert '"lost", which NATS_CONTEXT names,' in lost
    for sentence in (gone, broken, lost):
        assert "--server" in sentence
        assert "embedded one with --data-dir" in sentence
    assert "embedded" not in home.refusal(context="gone")


@pytest.mark.parametrize("name", ["..", "a..b"])
def test_a_context_name_cannot_leave_the_directory(home: Home, name: str) -> None:
    assert "cannot be the name" in home.refusal(context=name)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "line 1"),
        ('{"password": "hunter2"', "line 1"),
        ("[]", "not a JSON object"),
        ('{"url": 4222}', "url is not a string"),
        ('{"tls_first": "yes"}', "tls_first"),
        ('{"windows_cert_store": "user"}', "Windows"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_context_that_cannot_be_understood_is_refused_by_file(
    home: Home, content: str, expected: str
) -> None:
    path = home.write(".config/nats/context/bad.json", content)
    sentence = home.refusal(context="bad")
    assert path in sentence
    assert expected in sentence
    assert "hunter2" not in sentence
