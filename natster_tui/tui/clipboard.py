"""What was copied last, in a file of the user's own: not every terminal has a clipboard.

Textual copies through OSC 52, which many terminals ignore without a word, so the text is kept
beside it as well.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def keep_copy(text: str) -> Path:
    """Write the text to a file that only its owner can read, and return where."""
    directory = Path(platformdirs.user_cache_dir("natster-tui"))
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / "copied.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return path
