"""The options of a connection for nats-py: the credentials, pings and buffers."""

from __future__ import annotations

import secrets
from typing import Any

import nkeys
from nats.aio.client import RawCredentials

from natster_tui.errors import ServerError, UsageError
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.credentials import Credentials, find_credentials, find_seed
from natster_tui.store.settings.files import quoted, read_file
from natster_tui.store.settings.secrets import revealed

_SEED_BYTES = 32


PING_INTERVAL = 1
PINGS_UNANSWERED = 3
"""Seconds between pings, and how many may stay unanswered before the connection is given up.

Generous, because a busy machine is not a lost server. Missing heartbeats show the silence long
before (`LogFollower.silent_s`)."""

DEFAULT_INBOX = "_INBOX"
"""The default prefix of the subjects for answers."""


def inbox_prefix(settings: ConnectionSettings) -> str:
    """The prefix of the subjects on which answers arrive."""
    return settings.inbox_prefix or DEFAULT_INBOX


def connect_options(settings: ConnectionSettings) -> dict[str, Any]:
    """The options of nats-py's `connect`, credentials included. Raises what `login` raises."""
    return {
        # A link never reconnects; see its module.
        "allow_reconnect": False,
        "ping_interval": PING_INTERVAL,
        "max_outstanding_pings": PINGS_UNANSWERED,
        "flusher_queue_size": 4096,
        "pending_size": 64 * 1024 * 1024,
        **login(settings),
        "inbox_prefix": inbox_prefix(settings),
    }


def login(settings: ConnectionSettings) -> dict[str, Any]:
    """Arguments for nats-py's `connect` that carry the credentials.

    Files are read here at every connection. nats-py does not read them, because it accepts only
    one kind of line end, and never returns from a file without the usual markers. Raises
    ServerError if a file has become unreadable since it was first read.
    """
    credentials: RawCredentials | None = None
    if settings.creds is not None:
        credentials = RawCredentials(_read_creds(settings).as_file)
    elif settings.creds_text is not None:
        credentials = RawCredentials(settings.creds_text.get_secret_value())
    elif settings.bearer_jwt is not None:
        jwt = settings.bearer_jwt.get_secret_value()
        credentials = RawCredentials(Credentials(jwt, _throwaway_seed()).as_file)
    return {
        "user": settings.user,
        "password": revealed(settings.password),
        "token": revealed(settings.token),
        "user_credentials": credentials,
        "nkeys_seed_str": _read_seed(settings),
    }


def _read_creds(settings: ConnectionSettings) -> Credentials:
    found = find_credentials(_read(settings, "creds"))
    if found is None:
        raise ServerError(
            f"{quoted(settings.creds)} is no longer a credentials file: it needs a user's JWT and "
            "seed, as `nsc generate creds` writes them"
        )
    return found


def _read_seed(settings: ConnectionSettings) -> str | None:
    if settings.nkey is None:
        return revealed(settings.nkey_seed)
    seed = find_seed(_read(settings, "nkey"))
    if seed is None:
        raise ServerError(
            f"{quoted(settings.nkey)} is no longer an nkey file: it needs a line with a user's "
            "seed (SU…)"
        )
    return seed


def _read(settings: ConnectionSettings, option: str) -> bytes:
    try:
        return read_file(getattr(settings, option), option)
    except UsageError as error:
        raise ServerError(error.sentence) from error


def _throwaway_seed() -> str:
    """A random seed: nats-py always signs, but a bearer JWT's signature is not checked."""
    seed = nkeys.encode_seed(secrets.token_bytes(_SEED_BYTES), nkeys.PREFIX_BYTE_USER)
    return bytes(seed).decode()
