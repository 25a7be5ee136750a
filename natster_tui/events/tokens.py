"""The tokens of subjects: which may stand for an account or a catalog."""

from __future__ import annotations

import re

NONE = "none"
"""The token that stands for "no target" and "no catalog"."""

NO_ACCOUNT = "_nobody"
"""The name whose key seals what belongs to no account."""

_TOKEN = re.compile(r"[A-Za-z0-9=-][A-Za-z0-9_=-]*")

known_tokens: dict[str, str] = {}
_KEPT = 500_000
"""Usable tokens, each as the one object that all events hold that name it.

A replay meets the same tokens all the time. So each is looked at once, and states that hold the
same object again and again take half the memory, and are found sooner, than with as many copies.
"""


def same_token(token: str) -> str:
    """The object that stands for a token that was met before, else the token itself."""
    return known_tokens.get(token, token)


def is_usable_token(token: str) -> bool:
    """Whether a token may stand for an account or a catalog.

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
    """The token as the object that events hold which name it, for states read from documents."""
    return same_token(token) if is_usable_token(token) else token
