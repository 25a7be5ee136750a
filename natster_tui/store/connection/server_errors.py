"""The errors in a server's `-ERR` lines, as values.

The protocol has no codes for them, only the texts of nats-server's errors.go. Only this module
parses them.
"""

from __future__ import annotations

import re
from enum import Enum, auto

import nats.errors

from natster_tui.text.masking import screen_text


class ServerErrorKind(Enum):
    """What the server reports."""

    DENIED_PUBLISH = auto()
    DENIED_SUBSCRIBE = auto()
    UNAUTHORIZED = auto()
    """The server does not accept these credentials."""
    LOGIN_TOO_LATE = auto()
    EXPIRED = auto()
    """The user's or the account's JWT has expired."""
    REVOKED = auto()
    TLS_NEEDED = auto()
    TOO_MANY_CONNECTIONS = auto()
    TOO_MANY_SUBSCRIPTIONS = auto()
    OTHER = auto()


_DENIED = re.compile(
    r"permissions violation for (publish|subscription)(?: with reply of)? (?:to )?"
    r'"((?:[^"\\]|\\.)*)"',
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\(.)")

_KINDS = {
    "authorization violation": ServerErrorKind.UNAUTHORIZED,
    "authentication timeout": ServerErrorKind.LOGIN_TOO_LATE,
    "user authentication expired": ServerErrorKind.EXPIRED,
    "account authentication expired": ServerErrorKind.EXPIRED,
    "user authentication revoked": ServerErrorKind.REVOKED,
    "secure connection - tls required": ServerErrorKind.TLS_NEEDED,
    "maximum connections exceeded": ServerErrorKind.TOO_MANY_CONNECTIONS,
    "maximum account active connections exceeded": ServerErrorKind.TOO_MANY_CONNECTIONS,
    "maximum subscriptions exceeded": ServerErrorKind.TOO_MANY_SUBSCRIPTIONS,
}
_GOES_ON = frozenset({ServerErrorKind.DENIED_PUBLISH, ServerErrorKind.DENIED_SUBSCRIBE})


class ServerReportedError(nats.errors.Error):
    """A `-ERR` line. `text` is the server's text; only a denial has a `subject`."""

    def __init__(self, kind: ServerErrorKind, text: str, subject: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.subject = subject

    @property
    def ends_connection(self) -> bool:
        """Whether the connection ends with this line.

        The server closes it, but for a refused subscription: it does not say which one that was,
        and whatever waits for it would wait for ever.
        """
        return self.kind not in _GOES_ON


def server_error(line: bytes) -> ServerReportedError:
    """Parse the text after `-ERR`."""
    text = line.decode("utf-8", "replace").strip().removeprefix("'").removesuffix("'")
    if denied := _DENIED.match(text):
        kind = (
            ServerErrorKind.DENIED_PUBLISH
            if denied[1].lower() == "publish"
            else ServerErrorKind.DENIED_SUBSCRIBE
        )
        return ServerReportedError(kind, screen_text(text, 300), _ESCAPED.sub(r"\1", denied[2]))
    return ServerReportedError(
        _KINDS.get(text.lower(), ServerErrorKind.OTHER), screen_text(text, 300)
    )
