"""The options of a connection from one source (flags, environment, a context)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel, ConfigDict, SecretStr


class ConnectionOptions(BaseModel):
    """The options of a connection from one source; None or empty if not given.

    Options that may hold a secret are `SecretStr`: a server's URL may hold a password, a user
    without a password is a token, and a file may be given as a `data:` reference with its content.

    `server` is one URL, or several separated by commas.
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

    def text(self, option: str) -> str:
        """The value of a text option; empty if not given."""
        value: SecretStr | str | None = getattr(self, option)
        return (value.get_secret_value() if isinstance(value, SecretStr) else value) or ""

    @property
    def is_given(self) -> bool:
        """Whether any option is given."""
        return bool(self.tls_first) or any(map(self.text, _TEXTS))

    @property
    def names_credentials(self) -> bool:
        """Whether credentials are given, other than in a URL or a certificate."""
        return any(map(self.text, ("user", "creds", "nkey", "user_jwt", "token")))


_TEXTS = tuple(name for name in ConnectionOptions.model_fields if name != "tls_first")


class ConnectionFlags(ConnectionOptions):
    """The options of a connection from the command line."""

    context: str | None = None


class Kind(Enum):
    """The kind of a source."""

    FLAGS = "flags"
    ENVIRONMENT = "environment"
    CONTEXT = "context"


@dataclass(frozen=True)
class Source:
    """One source of options.

    `call` returns the name of an option in this source, for messages. `context` is the name of
    the context, if it is one.
    """

    kind: Kind
    origin: str
    options: ConnectionOptions
    call: Callable[[str], str]
    context: str = ""
