"""What was copied last, in a file of the user's own: not every terminal has a clipboard.

Textual copies through OSC 52, which many terminals ignore without a word, so the text is kept
beside it as well. A large text goes to the file only: terminals cut it, or choke on it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from natster_tui.store.files.private_files import make_private_directory, write_private
from natster_tui.store.user_directories import cache_directory

CLIPBOARD_BYTES = 100_000
"""More than this is not sent to the terminal's clipboard."""


def fits_clipboard(text: str) -> bool:
    """Whether a terminal can be expected to take a text."""
    return len(text.encode("utf-8", "replace")) <= CLIPBOARD_BYTES


def keep_copy(text: str) -> Path:
    """Write the text to a file that only its owner can read, and return where.

    Without a home directory it is a new temporary directory each time: one of a fixed name may
    have been made by another user.
    """
    directory = cache_directory() or Path(tempfile.mkdtemp(prefix="natster-tui-"))
    make_private_directory(directory)
    path = directory / "copied.json"
    write_private(path, f"{text}\n".encode())
    return path
