"""The settings of a connection: a server and our credentials, from all sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from natster_tui.store.settings.secrets import SecretField
from natster_tui.store.settings.urls import without_user_info
from natster_tui.text.masking import MASK, screen_text

DEFAULT_SERVER = "nats://127.0.0.1:4222"
"""The nats tool's default server."""

EMBEDDED = "embedded"
"""The origin of the settings for the embedded server."""

_SECRETS = ("password", "token", "creds_text", "nkey_seed", "bearer_jwt", "socks_proxy")


@dataclass(frozen=True, repr=False)
class ConnectionSettings:
    """A server and our credentials.

    At most one of `creds`, `creds_text`, `nkey`, `nkey_seed`, `bearer_jwt` and `user` is set.
    `user` always comes with a `password`. A `token` may be set beside the others.

    `creds_text` and `nkey_seed` are the contents that a file would have, and `bearer_jwt` is a user
    JWT that needs no seed. Files are read again at every connection, so a renewed file is used.
    `socks_proxy` is the URL of the proxy for every connection. `origin` is the source of the
    server's name: "flags", "environment", "context NAME" or "embedded". `context` is the name of
    that context, empty if it is another source.
    """

    servers: tuple[str, ...]
    creds: Path | None = None
    creds_text: SecretField = SecretField()
    nkey: Path | None = None
    nkey_seed: SecretField = SecretField()
    bearer_jwt: SecretField = SecretField()
    user: str | None = None
    password: SecretField = SecretField()
    token: SecretField = SecretField()
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_first: bool = False
    socks_proxy: SecretField = SecretField()
    inbox_prefix: str | None = None
    js_domain: str | None = None
    js_api_prefix: str | None = None
    origin: str = EMBEDDED
    context: str = ""
    by_server: tuple[tuple[str, ConnectionSettings], ...] = ()
    """The settings for each URL with a user, if the servers' URLs name different users."""

    def at(self, server: str) -> ConnectionSettings:
        """The settings for one of the servers, with the user that its URL names."""
        if not self.by_server:
            return self
        return dict(self.by_server).get(server, replace(self, by_server=()))

    @property
    def is_embedded(self) -> bool:
        """Whether the server is the embedded one."""
        return self.origin == EMBEDDED

    @property
    def described(self) -> str:
        """The addresses of the servers, to show."""
        return ", ".join(screen_text(without_user_info(server), 300) for server in self.servers)

    @property
    def user_described(self) -> str:
        """The user of our credentials, to show; never a secret."""
        if self.by_server:
            users = dict.fromkeys(settings.user_described for _, settings in self.by_server)
            return " or ".join(users)
        if self.user is not None:
            return screen_text(self.user, 100)
        for kind, file in (("creds", self.creds), ("nkey", self.nkey)):
            if file is not None:
                return f"{kind} {screen_text(file.name, 300)}"
        if self.creds_text is not None or self.bearer_jwt is not None:
            return "a user JWT"
        if self.nkey_seed is not None:
            return "an nkey"
        if self.token is not None:
            return "a token"
        if self.tls_cert is not None:
            return f"certificate {screen_text(self.tls_cert.name, 300)}"
        return "anonymous"

    def __repr__(self) -> str:
        shown = [self.described, f"as {self.user_described}"]
        shown += [f"{name}={MASK}" for name in _SECRETS if getattr(self, name) is not None]
        return f"ConnectionSettings({', '.join(shown)}, from {screen_text(self.origin)})"
