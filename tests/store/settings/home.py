"""A home directory with nats contexts and credentials files, and the environment for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from natster_tui.errors import UsageError
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.options import ConnectionFlags
from natster_tui.store.settings.resolve import resolve_connection
from natster_tui.store.settings.secrets import revealed

SEED = "SUA" + "B2" * 27 + "C"
JWT = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5In0.eyJqdGkiOiJBIn0.c2ln-_x"
CREDS = f"""-----BEGIN NATS USER JWT-----
{JWT}
------END NATS USER JWT------

************************* IMPORTANT *************************

-----BEGIN USER NKEY SEED-----
{SEED}
------END USER NKEY SEED------
"""


class Home:
    """A person's home directory and environment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ = {"HOME": str(path)}

    def write(self, name: str, content: str | bytes) -> str:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(file)

    def creds(self, name: str = "a.creds") -> str:
        return self.write(name, CREDS)

    def context(self, name: str, *, selected: bool = False, **values: object) -> str:
        if selected:
            self.write(".config/nats/context.txt", f"{name}\n")
        return self.write(f".config/nats/context/{name}.json", json.dumps(values))

    def resolve(self, **flags: str | bool) -> ConnectionSettings:
        settings = resolve_connection(ConnectionFlags.model_validate(flags), self.environ)
        assert settings is not None
        return settings

    def refusal(self, **flags: str | bool) -> str:
        with pytest.raises(UsageError) as caught:
            self.resolve(**flags)
        assert "\n" not in caught.value.sentence
        return caught.value.sentence


def who(settings: ConnectionSettings) -> tuple[str | None, str | None, str | None]:
    """User, password and token."""
    return settings.user, revealed(settings.password), revealed(settings.token)
