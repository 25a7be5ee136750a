"""Converts errors of the connection and of JetStream to ours, each with a sentence."""

from __future__ import annotations

import os
import socket
import ssl

from natster_tui.errors import DeniedError
from natster_tui.store.connection.opening.tls import tls_reason
from natster_tui.store.connection.server_errors import ServerErrorKind, ServerReportedError
from natster_tui.text.masking import screen_text

_REASONS = {
    ServerErrorKind.EXPIRED: "the credentials have expired",
    ServerErrorKind.REVOKED: "the credentials were revoked",
    ServerErrorKind.TOO_MANY_SUBSCRIPTIONS: "the server takes no more subscriptions: raise "
    "max_subscriptions of the server, or max_subs of the account",
    ServerErrorKind.UNAUTHORIZED: "the server no longer accepts the credentials",
}


def reason_of(error: Exception) -> str:
    """The reason of a transport error, without Python's wording."""
    if isinstance(error, ServerReportedError) and error.kind in _REASONS:
        return _REASONS[error.kind]
    if isinstance(error, ssl.SSLError):
        return tls_reason(error)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, OSError) and error.errno is not None:
        return screen_text(os.strerror(error.errno).lower(), 300)
    return screen_text(str(error) or type(error).__name__, 300).removeprefix("nats: ")


def denial(where: str, user: str, error: ServerReportedError) -> DeniedError:
    """The error for a user who is not permitted to publish or subscribe to a subject."""
    doing = "publish to" if error.kind is ServerErrorKind.DENIED_PUBLISH else "subscribe to"
    return DeniedError(
        f"{where} does not permit {user} to {doing} "
        f"{screen_text(error.subject, 300)}: use other credentials, or ask for that permission"
    )
