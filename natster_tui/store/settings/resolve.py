"""Combining all sources into the settings of one connection.

A setting comes from the first source that has it (`sources` has their order), so a flag overrides
only its own field. Credentials, and the JetStream domain or prefix, are taken together from one
source, because parts of two sources do not fit together. Only a password may come from another
source, so that it need not be in a command. User information in a URL counts as that source's
credentials if the source has no others. It is removed from the URL, so a server's address is never
a secret.

This differs from the `nats` tool in three places. A variable does not override a context named by
a flag. Credentials of a context that is only selected are never sent to a server named on the
command line. Creds from a flag win over a context's user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from natster_tui.errors import UsageError
from natster_tui.store.settings.connection import DEFAULT_SERVER, ConnectionSettings
from natster_tui.store.settings.files import read_file
from natster_tui.store.settings.login import Login
from natster_tui.store.settings.options import ConnectionFlags, Source
from natster_tui.store.settings.references import read_path
from natster_tui.store.settings.sources import flag, sources
from natster_tui.store.settings.subjects import parse_domain, parse_prefix
from natster_tui.store.settings.urls import Servers, parse_proxy, parse_servers


def resolve_connection(
    flags: ConnectionFlags, environ: Mapping[str, str]
) -> ConnectionSettings | None:
    """The settings of the connection, or None for the embedded server.

    If options are given but no server, the server is DEFAULT_SERVER, as in the nats tool. All files
    that are needed have been read once. Raises UsageError, which names the wrong flag, variable or
    context and the remedy.
    """
    found = list(sources(flags, environ))
    if not found:
        return None
    place = next((source for source in found if source.options.server), None)
    servers = Servers((DEFAULT_SERVER,))
    if place is not None:
        servers = parse_servers(place.options.text("server"), place.call("server"))
    settings = ConnectionSettings(
        servers=servers.addresses,
        tls_ca=_file(found, "tls_ca", environ),
        tls_cert=_file(found, "tls_cert", environ),
        tls_key=_file(found, "tls_key", environ),
        tls_first=any(source.options.tls_first for source in found),
        socks_proxy=_proxy(found),
        inbox_prefix=_inbox_prefix(found),
        origin=(place or found[0]).origin,
        context=(place or found[0]).context,
    )
    _check_certificate(settings, found)
    settings = _with_jetstream(settings, found)
    settings = Login(found, place, servers, environ).applied_to(settings)
    if flags.password and settings.user is None and not settings.by_server:
        raise UsageError("--password was given, but no user to go with it: add --user")
    return settings


def _first(found: Sequence[Source], option: str) -> tuple[Source, str]:
    """The first source that has the option, and its value; empty if none has it."""
    for source in found:
        if value := source.options.text(option):
            return source, value
    return found[0], ""


def _file(found: Sequence[Source], option: str, environ: Mapping[str, str]) -> Path | None:
    source, value = _first(found, option)
    if not value:
        return None
    path = read_path(value, source.call(option), environ)
    read_file(path, source.call(option))
    return path


def _proxy(found: Sequence[Source]) -> str | None:
    source, value = _first(found, "socks_proxy")
    return parse_proxy(value, source.call("socks_proxy")) if value else None


def _inbox_prefix(found: Sequence[Source]) -> str | None:
    source, value = _first(found, "inbox_prefix")
    return parse_prefix(value, source.call("inbox_prefix")) if value else None


def _check_certificate(settings: ConnectionSettings, found: Sequence[Source]) -> None:
    if (settings.tls_cert is None) == (settings.tls_key is None):
        return
    given, missing = "tls_cert", "tls_key"
    if settings.tls_cert is None:
        given, missing = missing, given
    called = _first(found, given)[0].call(given)
    raise UsageError(f"{called} is of no use alone: add {flag(missing)}")


def _with_jetstream(settings: ConnectionSettings, found: Sequence[Source]) -> ConnectionSettings:
    """Set the domain, or else the API prefix, of the first source that has either."""
    for source in found:
        if domain := source.options.js_domain:
            return replace(settings, js_domain=parse_domain(domain, source.call("js_domain")))
        if prefix := source.options.js_api_prefix:
            parsed = parse_prefix(prefix, source.call("js_api_prefix"))
            return replace(settings, js_api_prefix=parsed)
    return settings
