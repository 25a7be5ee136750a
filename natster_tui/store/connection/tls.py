"""TLS: what was asked for, as the ssl module's context."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from natster_tui.errors import ServerError
from natster_tui.store.settings.connection import ConnectionSettings


def tls_context(settings: ConnectionSettings) -> ssl.SSLContext | None:
    """The TLS settings, or None when nothing asks for TLS."""
    wanted = settings.tls_ca or settings.tls_cert or settings.tls_first
    if not wanted and not any(urlsplit(url).scheme == "tls" for url in settings.servers):
        return None
    try:
        context = ssl.create_default_context(
            cafile=None if settings.tls_ca is None else str(settings.tls_ca)
        )
        if settings.tls_cert is not None:
            context.load_cert_chain(
                str(settings.tls_cert), None if settings.tls_key is None else str(settings.tls_key)
            )
    except (OSError, ssl.SSLError) as error:
        raise ServerError(
            f"the TLS files cannot be used ({error}): check --tls-ca, --tls-cert and --tls-key"
        ) from error
    return context
