from __future__ import annotations

from natster_tui.store.settings.connection import DEFAULT_SERVER
from natster_tui.store.settings.options import ConnectionFlags
from natster_tui.store.settings.resolve import resolve_connection
from tests.store.settings.home import Home, who


def test_nothing_configured_means_the_embedded_server(home: Home) -> None:
    home.environ.update(NATS_URL="", NATS_CONTEXT="")
    assert resolve_connection(ConnectionFlags(), home.environ) is None


def test_flags_come_before_variables_before_the_selected_context(home: Home) -> None:
    home.context("prod", selected=True, url="nats://context:1")
    assert (home.resolve().servers, home.resolve().origin) == (
        ("nats://context:1",),
        "context prod",
    )
    home.environ["NATS_URL"] = "nats://variable:2"
    assert home.resolve().described == "nats://variable:2"
    assert home.resolve().origin == "environment"
    assert home.resolve(server="nats://flag:3").described == "nats://flag:3"
    assert home.resolve(server="nats://flag:3").origin == "flags"


def test_a_context_named_by_flag_comes_before_the_variables(home: Home) -> None:
    home.context("prod", url="nats://prod:1")
    home.context("test", url="nats://test:2")
    home.environ.update(NATS_URL="nats://variable:2", NATS_CONTEXT="test")
    assert home.resolve(context="prod").described == "nats://prod:1"
    assert home.resolve().described == "nats://variable:2"
    del home.environ["NATS_URL"]
    assert home.resolve().origin == "context test"


def test_a_flag_overrides_just_its_own_field(home: Home) -> None:
    home.context("prod", url="nats://prod:1", creds=home.creds("prod.creds"), inbox_prefix="_X")
    home.environ["NATS_CREDS"] = home.creds("env.creds")
    settings = home.resolve(server="h")
    assert settings.described == "nats://h:4222"
    assert settings.user_described == "creds env.creds"
    settings = home.resolve(context="prod", creds=home.creds("flag.creds"))
    assert settings.described == "nats://prod:1"
    assert settings.user_described == "creds flag.creds"
    assert settings.inbox_prefix == "_X"
    settings = home.resolve(context="prod", server="nats://h")
    assert settings.described == "nats://h:4222"
    assert settings.user_described == "creds prod.creds"


def test_a_merely_selected_context_never_lends_its_credentials_to_another_server(
    home: Home,
) -> None:
    home.context("prod", selected=True, url="nats://prod", user="u", password="p", ca="/none")
    settings = home.resolve(server="nats://elsewhere")
    assert settings.user_described == "anonymous"
    assert settings.tls_ca is None


def test_credentials_without_a_server_mean_the_default_server(home: Home) -> None:
    settings = home.resolve(creds=home.creds())
    assert settings.servers == (DEFAULT_SERVER,)
    assert settings.origin == "flags"
    home.environ["NATS_CREDS"] = home.creds()
    assert home.resolve().origin == "environment"


def test_credentials_without_a_server_go_with_the_selected_context(home: Home) -> None:
    home.context("prod", selected=True, url="nats://prod:1", user="u", password="p")
    settings = home.resolve(creds=home.creds("flag.creds"))
    assert settings.described == "nats://prod:1"
    assert settings.user_described == "creds flag.creds"
    assert who(settings) == (None, None, None)
