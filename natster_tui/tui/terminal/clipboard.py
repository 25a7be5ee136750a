"""Copying to the terminal's clipboard, and to a file, because not every terminal has one.

Textual copies with OSC 52, which many terminals silently ignore, so the text is written to a
private file as well. A large text goes to the file only: terminals truncate it, or hang.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from textual.app import App

from natster_tui.store.files.private_files import make_private_directory, write_private
from natster_tui.store.user_directories import cache_directory

CLIPBOARD_BYTES = 100_000
"""More than this is not sent to the terminal's clipboard."""


def fits_clipboard(text: str) -> bool:
    """Whether a terminal can be expected to take a text."""
    return len(text.encode("utf-8", "replace")) <= CLIPBOARD_BYTES


def copy_text(app: App[Any], what: str, text: str) -> str:
    """Copy a text to the clipboard if it fits, and to a file; return the sentence that says so."""
    fits = fits_clipboard(text)
    if fits:
        app.copy_to_clipboard(text)
    try:
        kept = str(_keep_copy(text))
    except OSError as error:
        reason = (error.strerror or "").lower()
        if not fits:
            return f"{what} cannot be copied: no file can be written ({reason})"
        kept = f"no file either ({reason})"
    if not fits:
        return f"{what} is too large for the clipboard: it is in {kept}"
    return f"copied {what}; where the terminal has no clipboard: {kept}"


def _keep_copy(text: str) -> Path:
    """Write the text to a file that only its owner can read, and return where.

    Without a home directory it is a new temporary directory each time: one of a fixed name may
    have been made by another user.
    """
    directory = cache_directory() or Path(tempfile.mkdtemp(prefix="natster-tui-"))
    make_private_directory(directory)
    path = directory / "copied.json"
    write_private(path, f"{text}\n".encode())
    return path
