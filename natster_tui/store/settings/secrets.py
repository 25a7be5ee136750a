"""Secrets in settings, kept as `SecretStr` so that no representation shows them."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr


class SecretField:
    """A dataclass field that accepts a secret as text or `SecretStr`, and keeps a `SecretStr`.

    It is None if no value was given.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(self, instance: object, owner: type) -> SecretStr | None:
        # A dataclass asks the class for the default.
        found: SecretStr | None = None if instance is None else getattr(instance, self._name)
        return found

    def __set__(self, instance: Any, value: str | SecretStr | None) -> None:
        secret = SecretStr(value) if isinstance(value, str) else value
        # Past the guard of a frozen dataclass, whose own __init__ does the same.
        object.__setattr__(instance, self._name, secret)


def revealed(secret: SecretStr | None) -> str | None:
    """The secret as text."""
    return None if secret is None else secret.get_secret_value()
