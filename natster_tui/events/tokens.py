"""The tokens of subjects, and which of them can name an account or a catalog."""

from __future__ import annotations

import re

NONE = "none"
"""The token that stands for "no target" and "no catalog"."""

NO_ACCOUNT = "_nobody"
"""The account name whose key seals documents that belong to no account."""

_TOKEN = re.compile(r"[A-Za-z0-9=-][A-Za-z0-9_=-]*")

known_tokens: dict[str, str] = {}
"""Usable tokens, interned: all events that name an account or a catalog hold the same object.

A replay meets the same tokens all the time. Each is checked once, and states need half the memory
and are found sooner than with a copy for every event.
"""
_KEPT = 500_000
"""How many tokens are interned."""


def same_token(token: str) -> str:
    """The interned object for a token that was met before, else the token itself."""
    return known_tokens.get(token, token)


def is_usable_token(token: str) -> bool:
    """Whether a token can name an account or a catalog.

    `none` means "no account", a leading underscore is reserved for our own bucket keys, and other
    characters cannot be in bucket keys.
    """
    if token in known_tokens:
        return True
    if token == NONE or _TOKEN.fullmatch(token) is None:
        return False
    if len(known_tokens) < _KEPT:
        known_tokens[token] = token
    return True


def shared_token(token: str) -> str:
    """The interned object for a token of a stored document, so that states share it with events."""
    return same_token(token) if is_usable_token(token) else token
