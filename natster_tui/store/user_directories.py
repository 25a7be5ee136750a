"""The user's own directories for keys, data and copies; None for a user without a home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import platformdirs

_NAME = "natster-tui"


def config_directory() -> Path | None:
    """Where settings and keys are kept unless told otherwise."""
    return _found(platformdirs.user_config_dir)


def data_directory() -> Path | None:
    """Where the embedded server keeps its data unless told otherwise."""
    return _found(platformdirs.user_data_dir)


def cache_directory() -> Path | None:
    """Where things are kept that may be lost."""
    return _found(platformdirs.user_cache_dir)


def _found(directory: Callable[[str], str]) -> Path | None:
    try:
        path = Path(directory(_NAME))
    except RuntimeError:
        return None
    # Some versions of platformdirs leave the ~ that stands for the home directory.
    return path if path.is_absolute() else None
