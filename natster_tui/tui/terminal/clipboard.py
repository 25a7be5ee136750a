"""What was copied last, in a file of the user's own: not every terminal has a clipboard.

Textual copies through OSC 52, which many terminals ignore without a word, so the text is kept
beside it as well.
"""

from __future__ import annotations

from pathlib import Path

import platformdirs

from natster_tui.store.sealing.private_files import make_private_directory, write_private


def keep_copy(text: str) -> Path:
    """Write the text to a file that only its owner can read, and return where."""
    directory = Path(platformdirs.user_cache_dir("natster-tui"))
    make_private_directory(directory)
    path = directory / "copied.json"
    write_private(path, f"{text}\n".encode())
    return path
