from __future__ import annotations

from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.options import ConnectionFlags


def test_no_secret_is_ever_in_the_representation() -> None:
    settings = ConnectionSettings(
        servers=("nats://ada:hunter2@h:1",),
        user="ada",
        password="hunter2",
        token="hunter2",
        creds_text="hunter2",
        nkey_seed="hunter2",
        bearer_jwt="hunter2",
        socks_proxy="socks5://ada:hunter2@h:2",
        origin="flags",
    )
    assert "hunter2" not in f"{settings!r} {settings} {settings.described}"
    assert settings.described == "nats://h:1"
    flags = ConnectionFlags.model_validate(
        {
            "server": "nats://a:hunter2@h",
            "user": "hunter2",
            "password": "hunter2",
            "token": "hunter2",
            "user_seed": "hunter2",
            "creds": "data:hunter2",
            "nkey": "data:hunter2",
            "socks_proxy": "socks5://a:hunter2@h",
        }
    )
    assert "hunter2" not in repr(flags)


def test_what_is_described_is_safe_to_show() -> None:
    settings = ConnectionSettings(servers=("nats://h:1",), user="a\x1bb", password="")
    assert settings.user_described == "a␛b"
    assert settings.origin == "embedded"
