"""Reading credentials files and nkey seeds like the nats tool.

Line ends, blanks, byte order marks, and text around the JWT and the seed make no difference.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_JWT = re.compile(r"eyJ[\w-]*\.[\w-]+\.[\w-]*={0,2}", re.ASCII)
_SEED = re.compile(r"SU[A-Z2-7]{56}", re.ASCII)
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, repr=False)
class Credentials:
    """A user's JWT, and the seed that signs for it."""

    jwt: str
    seed: str

    @property
    def as_file(self) -> str:
        """Format both as a credentials file that every reader accepts."""
        return (
            f"-----BEGIN NATS USER JWT-----\n{self.jwt}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{self.seed}\n------END USER NKEY SEED------\n"
        )


def find_credentials(content: bytes | str) -> Credentials | None:
    """Find the user's JWT and seed in a file's content; None if either is missing."""
    jwt, seed = find_jwt(content), find_seed(content)
    return None if jwt is None or seed is None else Credentials(jwt, seed)


def find_jwt(content: bytes | str) -> str | None:
    """The first line that is a JWT."""
    return _first_line(content, _JWT)


def find_seed(content: bytes | str) -> str | None:
    """The first line that is a user's seed."""
    return _first_line(content, _SEED)


def _first_line(content: bytes | str, pattern: re.Pattern[str]) -> str | None:
    for line in _text(content).splitlines():
        if pattern.fullmatch(line.strip()):
            return line.strip()
    return None


def _text(content: bytes | str) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    encoding = "utf-16" if content.startswith(_WIDE) else "utf-8-sig"
    return content.decode(encoding, "replace")
