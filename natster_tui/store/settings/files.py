"""Files that settings name: their paths, and reading them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from natster_tui.errors import UsageError
from natster_tui.text.masking import screen_text

READ_AT_MOST = 65_536
"""The most bytes read of a file; credentials and contexts have a few thousand."""


def quoted(value: object) -> str:
    """A name or path from outside, safe to show; a secret given by mistake is masked."""
    return screen_text(str(value), 300)


def home_directory(environ: Mapping[str, str]) -> Path | None:
    """The user's home directory; None for a user who has none."""
    if environ.get("HOME"):
        return Path(environ["HOME"])
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home if home.is_absolute() else None


def expand_home(path: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The path with a leading `~` or `~USER` replaced by that home directory.

    Raises UsageError if there is no such directory.
    """
    if path == "~" or path.startswith(("~/", f"~{os.sep}")):
        home = home_directory(environ)
        if home is None:
            raise UsageError(
                f"{quoted(path)} begins with ~, but there is no home directory: set HOME, or "
                "write the path out"
            )
        return Path(f"{home}{path[1:]}")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"{quoted(path)} names the home directory of a user who is not known here: write "
            "the path out"
        ) from error


def read_file(path: Path, called: str) -> bytes:
    """The file's first READ_AT_MOST bytes; `called` is the option that named it.

    Raises UsageError.
    """
    try:
        if path.exists() and not path.is_file():
            # Also a pipe, such as <(…): files are read again at every connection.
            raise UsageError(f"{quoted(path)}, named by {called}, is not a file: check the path")
        with path.open("rb") as file:
            return file.read(READ_AT_MOST)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "not a path"
        raise UsageError(
            f"{quoted(path)}, named by {called}, cannot be read ({reason}): check the path"
        ) from error
