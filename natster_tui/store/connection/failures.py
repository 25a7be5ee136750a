"""Errors of the connection and of JetStream, as ours, each with a sentence for a person."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from natster_tui.errors import ApiError, DeniedError, ServerError, UnreachableError
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.text.masking import screen_text


def api_error(verb: str, error: Mapping[str, Any]) -> ApiError:
    """A JetStream error as one of ours."""
    description = screen_text(str(error.get("description", "unknown error")), 300)
    return ApiError(
        f"JetStream refused {verb}: {description}", int(error.get("err_code", 0)), description
    )


def told_by(error: Exception) -> str:
    """What an error of the transport says, without Python's way of saying it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, OSError) and error.errno is not None:
        return screen_text(os.strerror(error.errno).lower(), 300)
    return screen_text(str(error) or type(error).__name__, 300).removeprefix("nats: ")


def connect_failure(settings: ConnectionSettings, error: Exception, last_error: str) -> ServerError:
    """Why no connection was made; `last_error` is what was said before, or empty."""
    told = last_error or told_by(error)
    where = settings.described
    # The server's reason, and the end of the connection that follows, come in either order.
    both = f"{last_error} {told_by(error)}".lower()
    if "authorization" in both or "authentication" in both:
        return ServerError(
            f"{where} refused these credentials ({settings.user_described}): "
            "check --creds, --user or --nkey"
        )
    if isinstance(error, ssl.SSLError) or "ssl" in both or "certificate" in both:
        return ServerError(f"{where}: TLS failed ({told}): check --tls-ca and --tls-cert")
    return UnreachableError(
        f"cannot reach {where} ({told}): is the server running, and is --server right?"
    )


def denial(settings: ConnectionSettings, verb: str, subject: str) -> DeniedError:
    """That the permissions forbid to publish to, or subscribe to, a subject."""
    doing = "publish to" if verb == "publish" else "subscribe to"
    return DeniedError(
        f"{settings.described} does not permit {settings.user_described} to {doing} "
        f"{subject}: use other credentials, or ask for that permission"
    )
