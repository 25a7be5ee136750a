"""What one source (flags, environment, a context) says of a connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel, ConfigDict, SecretStr


class ConnectionOptions(BaseModel):
    """What one source says of a connection; None or empty where it is silent.

    Whatever may hold a secret is a `SecretStr`: a server's URL has room for a password, a lone
    user is a token, and what names a file may be a `data:` reference that holds its content.

    `server` is one URL or several, separated by commas.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    server: SecretStr | None = None
    creds: SecretStr | None = None
    nkey: SecretStr | None = None
    user: SecretStr | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    user_jwt: SecretStr | None = None
    user_seed: SecretStr | None = None
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_first: bool | None = None
    socks_proxy: SecretStr | None = None
    inbox_prefix: str | None = None
    js_domain: str | None = None
    js_api_prefix: str | None = None

    def said(self, option: str) -> str:
        """What the source says of an option that is a text; empty when nothing."""
        value: SecretStr | str | None = getattr(self, option)
        return (value.get_secret_value() if isinstance(value, SecretStr) else value) or ""

    @property
    def says_something(self) -> bool:
        """Whether it says anything at all of the connection."""
        return bool(self.tls_first) or any(map(self.said, _TEXTS))

    @property
    def names_credentials(self) -> bool:
        """Whether it says who we are, other than by a URL or a certificate."""
        return any(map(self.said, ("user", "creds", "nkey", "user_jwt", "token")))


_TEXTS = tuple(name for name in ConnectionOptions.model_fields if name != "tls_first")


class ConnectionFlags(ConnectionOptions):
    """What the command line says of a connection."""

    context: str | None = None


class Kind(Enum):
    """What kind of a source it is."""

    FLAGS = "flags"
    ENVIRONMENT = "environment"
    CONTEXT = "context"


@dataclass(frozen=True)
class Source:
    """One place that says something of the connection.

    `call` gives what an option is called there, for a sentence.
    """

    kind: Kind
    origin: str
    options: ConnectionOptions
    call: Callable[[str], str]
