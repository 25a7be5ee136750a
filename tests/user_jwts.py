"""Users that are known by JWTs: an operator with one account, and the users that it signs for."""

from __future__ import annotations

import base64
import json
import os
import time
from dataclasses import dataclass, field
from typing import Any

import nkeys

from natster_tui.store.settings.credentials import Credentials

_UNLIMITED = {
    "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True,
    "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
}  # fmt: skip
_NO_STORE = {name: value for name, value in _UNLIMITED.items() if "storage" not in name}
_USER = {"pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2}


class KeyPair:
    """An nkey."""

    def __init__(self, prefix: int) -> None:
        seed = bytes(nkeys.encode_seed(os.urandom(32), prefix))
        self.seed = seed.decode()
        self._pair = nkeys.from_seed(bytearray(seed))
        self.public: str = self._pair.public_key.decode()

    def jwt(self, subject: str, **claims: Any) -> str:
        """A JWT about a subject, signed by this key."""
        body = {"jti": os.urandom(8).hex(), "iat": int(time.time())}
        about = {**body, "iss": self.public, "sub": subject, **claims}
        signed = f"{_part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_part(about)}"
        return f"{signed}.{_encoded(self._pair.sign(signed.encode()))}"


@dataclass
class Operator:
    """An operator with an account for everything and a system account."""

    key: KeyPair = field(default_factory=lambda: KeyPair(nkeys.PREFIX_BYTE_OPERATOR))
    account: KeyPair = field(default_factory=lambda: KeyPair(nkeys.PREFIX_BYTE_ACCOUNT))
    system: KeyPair = field(default_factory=lambda: KeyPair(nkeys.PREFIX_BYTE_ACCOUNT))
    user: KeyPair = field(default_factory=lambda: KeyPair(nkeys.PREFIX_BYTE_USER))

    @property
    def server_config(self) -> str:
        """What a server's configuration says of it."""
        about = {"type": "operator", "version": 2}
        return (
            f"operator: {self.key.jwt(self.key.public, nats=about)}\n"
            f"system_account: {self.system.public}\nresolver: MEMORY\nresolver_preload: {{\n"
            f"{self._account(self.account, _UNLIMITED)}\n"
            f"{self._account(self.system, _NO_STORE)}\n}}\n"
        )

    def user_jwt(self, *, expires: int | None = None, bearer: bool = False) -> str:
        """A JWT of the user, who may do everything; `expires` is in unix seconds."""
        nats = {**_USER, "bearer_token": True} if bearer else _USER
        claims: dict[str, Any] = {} if expires is None else {"exp": expires}
        return self.account.jwt(self.user.public, nats=nats, **claims)

    def user_credentials(self, *, expires: int | None = None) -> str:
        """The content of a credentials file of the user."""
        return Credentials(self.user_jwt(expires=expires), self.user.seed).as_file

    def _account(self, account: KeyPair, limits: dict[str, Any]) -> str:
        nats = {"limits": limits, "type": "account", "version": 2}
        return f"{account.public}: {self.key.jwt(account.public, nats=nats)}"


def _part(value: object) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
