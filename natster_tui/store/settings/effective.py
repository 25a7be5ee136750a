"""The effective settings of a connection, with the source of each, to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from natster_tui.store.settings.connection import DEFAULT_SERVER
from natster_tui.store.settings.options import ConnectionFlags, ConnectionOptions, Source
from natster_tui.store.settings.references import scheme_of
from natster_tui.store.settings.sources import sources
from natster_tui.store.settings.urls import without_user_info
from natster_tui.text.masking import MASK, screen_text

_CREDENTIALS = ("user", "creds", "nkey", "user_jwt", "user_seed", "token")
_ALWAYS_MASKED = ("password", "token", "user_jwt", "user_seed")
_ADDRESSES = ("server", "socks_proxy")
_JETSTREAM = ("js_domain", "js_api_prefix")
_SHOWN = 300
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting, its value (masked if secret), and its source."""

    name: str
    value: str
    source: str


def effective_settings(flags: ConnectionFlags, environ: Mapping[str, str]) -> list[Setting]:
    """The settings of the connection, by the precedence of sources; empty if there are none.

    Secrets are masked. The credentials come from the first source that has any, and so do the
    JetStream domain and prefix. Raises UsageError as `resolve_connection` does.
    """
    found = list(sources(flags, environ))
    if not found:
        return []
    credentials = next((source for source in found if source.options.names_credentials), None)
    jetstream = next(
        (source for source in found if any(map(source.options.text, _JETSTREAM))), None
    )
    settings = []
    for name in ConnectionOptions.model_fields:
        if name in _CREDENTIALS:
            candidates = [credentials]
        elif name in _JETSTREAM:
            candidates = [jetstream]
        else:
            candidates = list(found)
        source = next((each for each in candidates if each is not None and _has(each, name)), None)
        if source is not None:
            settings.append(Setting(name, _shown(source, name, credentials), source.call(name)))
        elif name == "server":
            settings.append(Setting(name, DEFAULT_SERVER, DEFAULT))
    return settings


def _has(source: Source, name: str) -> bool:
    return bool(source.options.tls_first if name == "tls_first" else source.options.text(name))


def _shown(source: Source, name: str, credentials: Source | None) -> str:
    if name == "tls_first":
        return "true"
    value = source.options.text(name)
    # A user without a password is a token, and a data: reference holds the value itself.
    lone_user = name == "user" and source is credentials and not source.options.text("password")
    if name in _ALWAYS_MASKED or lone_user or scheme_of(value) == "data":
        return MASK
    if name in _ADDRESSES:
        return ",".join(screen_text(without_user_info(each), _SHOWN) for each in value.split(","))
    return screen_text(value, _SHOWN)
