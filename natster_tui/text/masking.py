"""Recognising and masking secrets.

Secrets never reach the screen, the clipboard, a log line or an export unless the user asks for
them. A field is secret by its name: `access_token`, `creds` and anything named like a token,
secret, password, seed or jwt. A text is secret by its form: a JWT, an nkey seed, a private key, a
URL with user information. When in doubt it is masked.

Mask before you shorten a text or call `safe_text`: half a secret is not recognised, but can still
give it away. `screen_text` does both in the right order; use it for every text from outside that
is shown on a line. All functions here take time linear in the text, because the text comes from
outside.
"""

from __future__ import annotations

import re
import unicodedata

from natster_tui.text.safe_text import safe_text
from natster_tui.text.strict_json import Json, Number

MASK = "••••"

_NAME_PARTS = (
    "apikey",
    "authorization",
    "credential",
    "creds",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "seed",
    "token",
)
_NAME_WORDS = frozenset({"cred", "pass", "pwd"})
"""Too short to look for inside other words (`compass`, `passenger`)."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NOT_NAME = re.compile(r"[^a-z0-9]+")

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_SEED = re.compile(r"S[ACNOUX][A-Z2-7]{56,}+")
_DOTTED = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]*+)++", re.ASCII)
_JWT_START = "eyJ"
"""`{"` in base64: every JWT begins with it."""
_JWT_HEADER_AT_LEAST = 11
_UNBROKEN = re.compile(r"[^\s\"'<>]+")
_NEXT_URL = re.compile(r",(?=[A-Za-z][A-Za-z0-9+.-]{0,20}://)")
_NATS_SCHEMES = ("nats", "tls", "ws", "wss")


def screen_text(text: str, limit: int = 4096, *, reveal: bool = False) -> str:
    """Text from outside as one line of at most `limit` characters: masked, then made safe.

    `reveal` leaves secrets unmasked, for a user who asked to see them.
    """
    return safe_text(text if reveal else mask_text(text), limit)


def is_secret_name(name: str) -> bool:
    """Whether a field or header of this name holds a secret.

    Case, camelCase, underscores and hyphens make no difference.
    """
    plain = unicodedata.normalize("NFKC", name)
    joined = _NOT_NAME.sub("", plain.lower())
    if any(part in joined for part in _NAME_PARTS):
        return True
    return any(word.lower() in _NAME_WORDS for word in _WORD.findall(plain))


def mask_json(value: Json) -> Json:
    """The value with every secret in it masked, in the same order.

    The value of a field with a secret name is masked whole, whatever its type. Null and the empty
    string stay: an absent value is not a secret.
    """
    if isinstance(value, dict):
        masked: dict[str, Json] = {}
        for name, item in value.items():
            shown = mask_text(name)
            while shown in masked:
                shown = f"{shown}·{len(masked)}"
            hidden = is_secret_name(name) and item is not None and item != ""
            masked[shown] = MASK if hidden else mask_json(item)
        return masked
    if isinstance(value, list):
        return [mask_json(item) for item in value]
    if isinstance(value, str) and not isinstance(value, Number):
        return mask_text(value)
    return value


def mask_text(text: str) -> str:
    """The text with everything in it that looks like a secret masked.

    In a URL only the password or token is masked: `nats://ada:••••@host`.
    """
    if "PRIVATE KEY-----" in text:
        text = _PRIVATE_KEY.sub(MASK, text)
    if _JWT_START in text:
        text = _DOTTED.sub(_mask_jwt, text)
    if "@" in text and "://" in text:
        text = _UNBROKEN.sub(_mask_urls, text)
    return _SEED.sub(MASK, text)


def _mask_jwt(dotted: re.Match[str]) -> str:
    """Words joined by dots, masked from where a JWT begins."""
    text, word_start = dotted[0], 0
    while (dot := text.find(".", word_start)) >= 0:
        start = text.find(_JWT_START, word_start, dot)
        if start >= 0 and dot - start >= _JWT_HEADER_AT_LEAST:
            return text[:start] + MASK
        word_start = dot + 1
    return text


def _mask_urls(unbroken: re.Match[str]) -> str:
    text = unbroken[0]
    if "@" not in text or "://" not in text:
        return text
    return ",".join(map(_mask_url, _NEXT_URL.split(text)))


def _mask_url(text: str) -> str:
    before, scheme_end, rest = text.partition("://")
    # To the last @, because people forget to escape one in a password.
    user_info, at, host = rest.rpartition("@")
    if not scheme_end or not at:
        return text
    user, colon, _password = user_info.partition(":")
    if colon:
        return f"{before}://{user}:{MASK}@{host}"
    if before.lower().endswith(_NATS_SCHEMES):
        # To NATS a user without a password is a token.
        return f"{before}://{MASK}@{host}"
    return text
