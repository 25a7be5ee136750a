"""The errors in a server's `-ERR` lines, as values.

The protocol has no codes for them, only the texts of nats-server's errors.go. Only this module
parses them.
"""

from __future__ import annotations

import re
from enum import Enum, auto

import nats.errors

from natster_tui.text.masking import screen_text


class ServerSaid(Enum):
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

_SAID = {
    "authorization violation": ServerSaid.UNAUTHORIZED,
    "authentication timeout": ServerSaid.LOGIN_TOO_LATE,
    "user authentication expired": ServerSaid.EXPIRED,
    "account authentication expired": ServerSaid.EXPIRED,
    "user authentication revoked": ServerSaid.REVOKED,
    "secure connection - tls required": ServerSaid.TLS_NEEDED,
    "maximum connections exceeded": ServerSaid.TOO_MANY_CONNECTIONS,
    "maximum account active connections exceeded": ServerSaid.TOO_MANY_CONNECTIONS,
    "maximum subscriptions exceeded": ServerSaid.TOO_MANY_SUBSCRIPTIONS,
}
_GOES_ON = frozenset(
    {ServerSaid.DENIED_PUBLISH, ServerSaid.DENIED_SUBSCRIBE, ServerSaid.TOO_MANY_SUBSCRIPTIONS}
)


class ServerSaidError(nats.errors.Error):
    """A `-ERR` line. `text` is the server's text; only a denial has a `subject`."""

    def __init__(self, said: ServerSaid, text: str, subject: str = "") -> None:
        super().__init__(text)
        self.said = said
        self.text = text
        self.subject = subject

    @property
    def ends_connection(self) -> bool:
        """Whether the server closes the connection after this line."""
        return self.said not in _GOES_ON


def server_error(line: bytes) -> ServerSaidError:
    """Parse the text after `-ERR`."""
    text = line.decode("utf-8", "replace").strip().removeprefix("'").removesuffix("'")
    if denied := _DENIED.match(text):
        said = (
            ServerSaid.DENIED_PUBLISH
            if denied[1].lower() == "publish"
            else ServerSaid.DENIED_SUBSCRIBE
        )
        return ServerSaidError(said, screen_text(text, 300), _ESCAPED.sub(r"\1", denied[2]))
    return ServerSaidError(_SAID.get(text.lower(), ServerSaid.OTHER), screen_text(text, 300))
