"""Why no connection was made: the reason as a value, and as a sentence."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple

import nats.errors

from natster_tui.errors import MalformedAnswerError, ServerError, UnreachableError, UsageError
from natster_tui.store.connection.error_sentences import reason_of
from natster_tui.store.connection.opening.client import (
    NatsClient,
    NoTlsError,
    NotNatsError,
    Stage,
)
from natster_tui.store.connection.opening.servers import ServerAddress
from natster_tui.store.connection.opening.socks import ProxyFailedError
from natster_tui.store.connection.opening.tls import (
    Protection,
    TlsFailure,
    expired_since,
    tls_failure,
    tls_reason,
)
from natster_tui.store.connection.opening.transports import NoWebSocketError
from natster_tui.store.connection.opening.user_jwt import jwt_expired_since
from natster_tui.store.connection.server_errors import ServerErrorKind, ServerReportedError
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.text.masking import screen_text

_SERVERS_SHOWN = 8


class Reason(Enum):
    """Why no connection was made."""

    UNREACHABLE = auto()
    UNKNOWN_HOST = auto()
    PROXY = auto()
    """The SOCKS proxy could not be reached, or did not connect us."""
    SILENT = auto()
    """It took longer than the limit."""
    SILENT_BEFORE_INFO = auto()
    """The same, and the server sent nothing at all."""
    CLOSED = auto()
    """The server closed the connection without a reason."""
    CLOSED_BEFORE_INFO = auto()
    """The same, before the server sent anything."""
    NOT_NATS = auto()
    MALFORMED = auto()
    NO_TLS = auto()
    TLS_STALLED = auto()
    TLS_AUTHORITY = auto()
    TLS_NAME = auto()
    TLS_PERIOD = auto()
    TLS_CERTIFICATE = auto()
    """The server refused our certificate, or that we have none."""
    TLS_NOT_SPOKEN = auto()
    TLS = auto()
    CREDENTIALS = auto()
    EXPIRED = auto()
    REVOKED = auto()
    REPORTED = auto()
    """The server gave another reason."""


@dataclass(frozen=True, slots=True)
class ConnectFailure:
    """Why there is no connection to one server; `cause` is the server's or the library's reason.

    `expired` is when our JWT or certificate expired, if known.
    """

    address: ServerAddress
    reason: Reason
    cause: str = ""
    expired: datetime | None = None


_TLS_REASONS = {
    TlsFailure.AUTHORITY: Reason.TLS_AUTHORITY,
    TlsFailure.NAME: Reason.TLS_NAME,
    TlsFailure.PERIOD: Reason.TLS_PERIOD,
    TlsFailure.OURS: Reason.TLS_CERTIFICATE,
    TlsFailure.NOT_TLS: Reason.TLS_NOT_SPOKEN,
    TlsFailure.OTHER: Reason.TLS,
}
_REPORTED_REASONS = {
    ServerErrorKind.UNAUTHORIZED: Reason.CREDENTIALS,
    ServerErrorKind.EXPIRED: Reason.EXPIRED,
    ServerErrorKind.REVOKED: Reason.REVOKED,
}
_TOO_LATE = {Stage.SECURING: Reason.TLS_STALLED, Stage.AWAITING_INFO: Reason.SILENT_BEFORE_INFO}


def connect_failure(
    client: NatsClient, settings: ConnectionSettings, error: Exception
) -> ConnectFailure:
    """The reason for an error while opening a connection."""
    reason, cause = _reason(client, settings, error)
    expired = None
    if reason is Reason.TLS_CERTIFICATE and settings.tls_cert is not None:
        expired = expired_since(settings.tls_cert)
    elif reason in (Reason.CREDENTIALS, Reason.EXPIRED):
        expired = jwt_expired_since(settings)
        reason = Reason.CREDENTIALS if expired is None else Reason.EXPIRED
    return ConnectFailure(client.address, reason, cause, expired)


def _reason(
    client: NatsClient, settings: ConnectionSettings, error: Exception
) -> tuple[Reason, str]:
    match error:
        case NoTlsError():
            return Reason.NO_TLS, ""
        case MalformedAnswerError():
            return Reason.MALFORMED, error.sentence
        case NotNatsError() | NoWebSocketError():
            return Reason.NOT_NATS, str(error)
        case ServerReportedError():
            return _REPORTED_REASONS.get(error.kind, Reason.REPORTED), error.text
        case ssl.SSLError():
            return _TLS_REASONS[tls_failure(error)], tls_reason(error)
        case TimeoutError():
            return _TOO_LATE.get(client.stage, Reason.SILENT), ""
        case ProxyFailedError():
            return Reason.PROXY, str(error)
        case socket.gaierror():
            return Reason.UNKNOWN_HOST, reason_of(error)
        case ValueError():
            # A line that does not end.
            return Reason.NOT_NATS, ""
    ended = isinstance(error, nats.errors.UnexpectedEOF | ConnectionError)
    if ended and client.stage in (Stage.SECURING, Stage.LOGIN):
        # The server may close the connection before its reason arrives.
        wants_certificate = client.info is not None and client.info.tls_verify
        if wants_certificate and settings.tls_cert is None:
            return Reason.TLS_CERTIFICATE, "the server demands a client certificate"
        return (Reason.TLS if client.stage is Stage.SECURING else Reason.CLOSED), reason_of(error)
    if ended and client.stage is Stage.AWAITING_INFO:
        return Reason.CLOSED_BEFORE_INFO, reason_of(error)
    return Reason.UNREACHABLE, reason_of(error)


# -- sentences ---------------------------------------------------------------------------------

_NOT_REACHED = frozenset(
    {
        Reason.UNREACHABLE,
        Reason.UNKNOWN_HOST,
        Reason.PROXY,
        Reason.SILENT,
        Reason.SILENT_BEFORE_INFO,
    }
)
_ASK_SERVER = "is the server running, and is --server right?"
_OR_TLS_FIRST = ", or add --tls-first if it wants the TLS handshake first"


class _Sentence(NamedTuple):
    """What happened, and what to do (which may be empty)."""

    problem: str
    advice: str


_SENTENCES = {
    Reason.UNREACHABLE: _Sentence("cannot reach {where} ({cause})", _ASK_SERVER),
    Reason.UNKNOWN_HOST: _Sentence("cannot reach {where} ({cause})", _ASK_SERVER),
    Reason.PROXY: _Sentence("cannot reach {where} ({cause})", "check --socks-proxy"),
    Reason.SILENT: _Sentence("{where} does not answer within {seconds} s", _ASK_SERVER),
    Reason.SILENT_BEFORE_INFO: _Sentence(
        "{where} does not answer within {seconds} s", "check --server{or_tls_first}"
    ),
    Reason.CLOSED: _Sentence(
        "{where} closed the connection ({cause})", "see the server's log for the reason"
    ),
    Reason.CLOSED_BEFORE_INFO: _Sentence(
        "{where} closed the connection without a reason", "check --server{or_tls_first}"
    ),
    Reason.NOT_NATS: _Sentence(
        "{where} does not speak the NATS protocol{in_brackets}", "is --server right?"
    ),
    Reason.MALFORMED: _Sentence("{cause}", ""),
    Reason.CREDENTIALS: _Sentence(
        "{where} refused these credentials ({user})", "check --creds, --nkey, --user or --token"
    ),
    Reason.EXPIRED: _Sentence(
        "{where} refused these credentials ({user}), which expired{since}", "get new ones"
    ),
    Reason.REVOKED: _Sentence("{where} has revoked these credentials ({user})", "get new ones"),
    Reason.REPORTED: _Sentence("{where} refused the connection ({cause})", "see the server's log"),
}
"""The failures other than those of TLS; `_sentence` has the values to fill in."""


def connect_error(
    failures: Sequence[ConnectFailure],
    settings: ConnectionSettings,
    protection: Protection,
    seconds: float,
) -> ServerError:
    """The error if no server of the list can be used; `seconds` is the timeout for each."""
    unreachable = all(failure.reason in _NOT_REACHED for failure in failures)
    kind = UnreachableError if unreachable else ServerError
    sentences = [_sentence(failure, settings, protection, seconds) for failure in failures]
    if len(sentences) == 1:
        return kind(": ".join(filter(None, sentences[0])))
    what = "; ".join(sentence.problem for sentence in sentences[:_SERVERS_SHOWN])
    more = "; …" if sentences[_SERVERS_SHOWN:] else ""
    # The reason of a server that was reached is more useful than that of one that is down.
    [advice, *_] = [
        sentence.advice
        for failure, sentence in zip(failures, sentences, strict=True)
        if unreachable or failure.reason not in _NOT_REACHED
    ]
    none = f"none of {len(failures)} servers can be used ({what}{more})"
    return kind(": ".join(filter(None, (none, advice))))


def _sentence(
    failure: ConnectFailure, settings: ConnectionSettings, protection: Protection, seconds: float
) -> _Sentence:
    if failure.reason not in _SENTENCES:
        return _tls_sentence(failure, protection, seconds)
    values = {
        "where": screen_text(failure.address.url, 300),
        "cause": failure.cause,
        "in_brackets": f" ({failure.cause})" if failure.cause else "",
        "seconds": f"{seconds:g}",
        "user": settings.at(failure.address.named).user_described,
        "since": _since(failure.expired),
        "or_tls_first": "" if protection.first else _OR_TLS_FIRST,
    }
    return _Sentence(*(part.format_map(values) for part in _SENTENCES[failure.reason]))


def _tls_sentence(failure: ConnectFailure, protection: Protection, seconds: float) -> _Sentence:
    where, cause = screen_text(failure.address.url, 300), failure.cause
    match failure.reason:
        case Reason.NO_TLS:
            asked_by = protection.asked_by or "the server that advertised it"
            return _Sentence(
                f"{where} offers no TLS, which {asked_by} asks for, so no credentials were sent",
                "enable TLS there, or ask for none",
            )
        case Reason.TLS_STALLED:
            return _Sentence(
                f"TLS with {where} failed (the handshake did not end within {seconds:g} s)",
                "is --server right, and does a firewall or proxy block it?",
            )
    advice = {
        Reason.TLS_AUTHORITY: (
            "check --tls-ca, which names the authority to trust"
            if protection.has_authority
            else "if the server has a private authority, name its file with --tls-ca"
        ),
        Reason.TLS_NAME: "name the server in --server as its certificate does",
        Reason.TLS_PERIOD: "renew the server's certificate, or set this machine's clock",
        Reason.TLS_CERTIFICATE: "check --tls-cert and --tls-key",
        Reason.TLS_NOT_SPOKEN: "is --server right?",
    }.get(failure.reason, "check --tls-ca, --tls-cert and --tls-key")
    if failure.reason is Reason.TLS_NOT_SPOKEN and protection.first:
        advice = "leave --tls-first out if the server does not do the handshake first"
    if failure.expired is not None:
        advice = f"renew the certificate of --tls-cert, which expired{_since(failure.expired)}"
    return _Sentence(f"TLS with {where} failed ({cause})", advice)


def credentials_error(settings: ConnectionSettings, error: Exception) -> UsageError:
    """The error for unusable credentials; the cause is not quoted, because it may quote them."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "unreadable"
    return UsageError(
        f"the credentials ({settings.user_described}) cannot be used ({reason.lower()}): "
        "check --creds or --nkey"
    )


def _since(moment: datetime | None) -> str:
    return "" if moment is None else f" on {moment:%Y-%m-%d at %H:%M:%S} UTC"
