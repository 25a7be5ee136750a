"""TLS: the required protection, the ssl module's context, and the reasons of failures.

`tls://` or `wss://`, a certificate authority, a client certificate, and `tls_first` require TLS.
It is then used for every server of the list, and no credentials go to a server without it.
"""

from __future__ import annotations

import functools
import importlib.util
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from natster_tui.errors import UsageError
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.text.masking import screen_text

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_TLS_SCHEMES = ("tls", "wss")
_WEBSOCKET_SCHEMES = ("ws", "wss")


@dataclass(frozen=True, slots=True)
class Protection:
    """The protection that a connection needs before credentials are sent over it.

    `asked_by` names the setting that requires TLS, for messages; it is empty if none does. `first`
    means that the TLS handshake comes before the server's INFO, `has_authority` that the server's
    certificate authority was named.
    """

    asked_by: str = ""
    first: bool = False
    has_authority: bool = False

    @property
    def required(self) -> bool:
        """Whether TLS is required."""
        return bool(self.asked_by)


def protection_of(settings: ConnectionSettings) -> Protection:
    """The protection that the settings require."""
    schemes = [urlsplit(url).scheme for url in settings.servers]
    asked = [f"{scheme}://" for scheme in _TLS_SCHEMES if scheme in schemes]
    asked += [
        flag
        for flag, value in (
            ("--tls-ca", settings.tls_ca),
            ("--tls-cert", settings.tls_cert),
            ("--tls-first", settings.tls_first),
        )
        if value
    ]
    return Protection(asked[0] if asked else "", settings.tls_first, settings.tls_ca is not None)


def check_transport(settings: ConnectionSettings) -> None:
    """Raise UsageError for settings that can work with no server."""
    schemes = {urlsplit(url).scheme for url in settings.servers}
    if schemes.intersection(_WEBSOCKET_SCHEMES) and importlib.util.find_spec("aiohttp") is None:
        raise UsageError(
            "ws:// and wss:// need an extra package: install it with "
            '`pip install "natster-tui[websocket]"`'
        )
    if settings.socks_proxy is not None:
        _check_proxy(schemes)
    protection = protection_of(settings)
    if protection.required and "ws" in schemes:
        raise UsageError(
            f"ws:// has no TLS, which {protection.asked_by} asks for: write wss:// instead"
        )
    if settings.tls_ca is not None or settings.tls_cert is not None:
        tls_context(settings)


def _check_proxy(schemes: set[str]) -> None:
    if schemes.intersection(_WEBSOCKET_SCHEMES):
        raise UsageError(
            "ws:// and wss:// cannot go through a SOCKS proxy: name a nats:// or tls:// server, "
            "or leave the proxy out"
        )
    if importlib.util.find_spec("python_socks") is None:
        raise UsageError(
            "a SOCKS proxy needs an extra package: install it with "
            '`pip install "natster-tui[socks]"`'
        )


# -- the context -------------------------------------------------------------------------------


class _PassPhraseNeededError(Exception):
    """A key has a pass phrase."""


Context = Callable[[], ssl.SSLContext]
"""A function that makes a context when it is needed."""


def context_when_needed(settings: ConnectionSettings) -> Context:
    """Makes `tls_context` at the first call: reading the system's authorities takes 50 ms."""
    return functools.cache(lambda: tls_context(settings))


def tls_context(settings: ConnectionSettings) -> ssl.SSLContext:
    """A context that verifies the server, with the files of the settings.

    Raises UsageError for a file that cannot be used. We never ask for a pass phrase: the ssl
    module would do that on the terminal, and block the program.
    """
    try:
        context = ssl.create_default_context(
            cafile=None if settings.tls_ca is None else str(settings.tls_ca)
        )
    except (OSError, ValueError) as error:
        assert settings.tls_ca is not None
        raise _unusable(settings.tls_ca, "--tls-ca", error) from error
    if settings.tls_cert is not None:
        _load_certificate(context, settings.tls_cert, settings.tls_key)
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    key_file = certificate if key is None else key
    try:
        context.load_cert_chain(str(certificate), str(key_file), password=_refuse_to_ask)
    except _PassPhraseNeededError:
        name = screen_text(str(key_file), 300)
        raise UsageError(
            f"the key {name}, named by --tls-key, has a pass phrase, which natster-tui never asks "
            "for: write a key without one with `openssl pkey -in KEY -out NEW_KEY`"
        ) from None
    except (OSError, ValueError) as error:
        # The ssl module does not say which of the two files it is.
        if not _is_certificate(certificate):
            raise _unusable(certificate, "--tls-cert", error) from error
        raise _unusable(key_file, "--tls-key", error) from error


def _refuse_to_ask() -> str:
    raise _PassPhraseNeededError


def _is_certificate(file: Path) -> bool:
    try:
        return bool(_certificates_in(file))
    except (OSError, ValueError):
        return False


def _certificates_in(file: Path) -> list[Certificate]:
    """The certificates of a PEM file; raises OSError and ValueError."""
    # Its import is a tenth of a command's start, and most commands name no certificate.
    from cryptography.x509 import load_pem_x509_certificates

    return load_pem_x509_certificates(file.read_bytes())


def _unusable(file: Path, flag: str, error: Exception) -> UsageError:
    name = screen_text(str(file), 300)
    # An ssl.SSLError without a reason comes from the PEM reader.
    is_unreadable = isinstance(error, ssl.SSLError) and not error.reason
    reason = "it is not in PEM form" if is_unreadable else tls_reason(error)
    return UsageError(
        f"the TLS file {name}, named by {flag}, cannot be used ({reason}): "
        "check that it is the right one"
    )


# -- failures ----------------------------------------------------------------------------------


class TlsFailure(Enum):
    """The kind of a TLS failure, by the library's error codes."""

    AUTHORITY = auto()
    """The server's certificate is not signed by an authority that is trusted."""
    NAME = auto()
    """The server's certificate is for another name."""
    PERIOD = auto()
    """The server's certificate has expired, or is not valid yet."""
    OURS = auto()
    """The server refused us, most likely for our certificate or the lack of one."""
    NOT_TLS = auto()
    """The other side answered with something that is not TLS."""
    OTHER = auto()


_NAME_CODES = frozenset({62, 63, 64})
_PERIOD_CODES = frozenset({9, 10})
"""X509_V_ERR_… codes, the same in all versions of OpenSSL."""

_NOT_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})


def tls_failure(error: ssl.SSLError) -> TlsFailure:
    """The kind of a failure."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _NAME_CODES:
            return TlsFailure.NAME
        return TlsFailure.PERIOD if error.verify_code in _PERIOD_CODES else TlsFailure.AUTHORITY
    reason = error.reason or ""
    if "_ALERT_" in reason:
        return TlsFailure.OURS
    return TlsFailure.NOT_TLS if reason in _NOT_TLS_REASONS else TlsFailure.OTHER


def tls_reason(error: Exception) -> str:
    """The TLS library's reason, in its own words, or the operating system's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return screen_text(f"certificate verify failed: {error.verify_message}", 300).rstrip(".")
    if isinstance(error, ssl.SSLError):
        if error.reason:
            return screen_text(error.reason.replace("_", " ").lower(), 300)
        return screen_text(str(error.args[-1] if error.args else error), 300)
    if isinstance(error, OSError) and error.strerror:
        return screen_text(error.strerror.lower(), 300)
    return screen_text(str(error) or type(error).__name__, 300)


def expired_since(certificate: Path) -> datetime | None:
    """When a certificate expired; None if it has not."""
    try:
        [first, *_more] = _certificates_in(certificate)
    except (OSError, ValueError):
        return None
    end = first.not_valid_after_utc
    return end if end < datetime.now(UTC) else None
