"""The user's own directories for keys, data and copies; None for a user without a home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import platformdirs

_NAME = "natster-tui"


def config_directory() -> Path | None:
    """The default directory for settings and keys."""
    return _found(platformdirs.user_config_dir)


def data_directory() -> Path | None:
    """The default directory for the embedded server's data."""
    return _found(platformdirs.user_data_dir)


def state_directory() -> Path | None:
    """The directory for what is remembered from one run to the next."""
    return _found(platformdirs.user_state_dir)


def cache_directory() -> Path | None:
    """The directory for cached files, which may be lost."""
    return _found(platformdirs.user_cache_dir)


def _found(directory: Callable[[str], str]) -> Path | None:
    try:
        path = Path(directory(_NAME))
    except RuntimeError:
        return None
    # Some versions of platformdirs do not expand ~.
    return path if path.is_absolute() else None
