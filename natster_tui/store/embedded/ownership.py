"""Whether a directory may be an embedded server's data directory; checked before it is changed.

Only we may write to it: another user could replace a file that the server writes with a symbolic
link. Files under the names that we use must be ours. The lock file marks a data directory; one of
an earlier release is known by its token or its sentinel.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import ValidationError

from natster_tui.errors import UsageError
from natster_tui.store.embedded.sentinel import read_sentinel
from natster_tui.store.embedded.state_files import TOKEN, RunningFile
from natster_tui.store.files.permissions import replaceable_through, writable_by_others
from natster_tui.text.safe_text import safe_text

MARK = b"natster-tui data directory\n"
"""The content of a data directory's lock file."""

LOCK, TOKEN_FILE, RUNNING, PORT, LOG = (
    "server.lock",
    "server.token",
    "server.json",
    "server.port",
    "server.log",
)
STORE, RUN, SENTINEL, SERVER_STORE = "store", "run", "sentinel.json", "jetstream"

_DIRECTORIES = (STORE, RUN, f"{STORE}/{SERVER_STORE}")
_FILES = (LOCK, TOKEN_FILE, RUNNING, PORT, LOG, f"{STORE}/{SENTINEL}")
_ELSE = "name another directory with --data-dir"


def refuse_unless_ours(path: Path) -> None:
    """Raise UsageError unless a data directory can be at `path`; raises OSError too.

    Writes nothing. A directory that does not exist is accepted if only we can create it.
    """
    if above := replaceable_through(path):
        raise UsageError(
            f"others may write to {_shown(above)}, and so replace {_shown(path)}: take that "
            f"permission away (`chmod go-w`), or {_ELSE}"
        )
    if not os.path.lexists(path):
        return
    if not path.is_dir():
        raise UsageError(f"{_shown(path)} is no directory: {_ELSE}")
    if path.stat().st_uid != os.geteuid():
        raise UsageError(f"{_shown(path)} belongs to another user: {_ELSE}")
    if writable_by_others(path):
        raise UsageError(
            f"others may write to {_shown(path)}: take that permission away (`chmod go-w`), or "
            f"{_ELSE}"
        )
    _refuse_links(path)
    if not _is_marked(path):
        _refuse_foreign_files(path)


def _refuse_links(path: Path) -> None:
    """Raise UsageError if a symbolic link, or a file of another kind, has one of our names."""
    for names, is_right, kind in (
        (_DIRECTORIES, stat.S_ISDIR, "directory"),
        (_FILES, stat.S_ISREG, "file"),
    ):
        for name in names:
            entry = path / name
            try:
                mode = entry.lstat().st_mode
            except FileNotFoundError:
                continue
            if stat.S_ISLNK(mode):
                raise UsageError(
                    f"{_shown(entry)} is a symbolic link, and is not followed: remove it, or "
                    f"{_ELSE}; nothing was changed"
                )
            if not is_right(mode):
                raise UsageError(
                    f"{_shown(entry)} is no {kind}: move it away, or {_ELSE}; nothing was changed"
                )


def _refuse_foreign_files(path: Path) -> None:
    """Raise UsageError if a file that we did not make has one of our names."""
    for name in (*_DIRECTORIES, *_FILES):
        entry = path / name
        try:
            empty = not any(entry.iterdir()) if entry.is_dir() else entry.stat().st_size == 0
        except FileNotFoundError:
            continue
        if not empty:
            raise UsageError(
                f"{_shown(path)} is no data directory of natster-tui, and holds {name}, which is "
                f"a name that one uses: move that away, or {_ELSE}; nothing was changed"
            )


def _is_marked(path: Path) -> bool:
    """Whether this or an earlier release made the directory as a data directory."""
    if _content(path / LOCK) == MARK:
        return True
    return (
        TOKEN.fullmatch(_content(path / TOKEN_FILE).decode("ascii", "replace").strip()) is not None
        or read_sentinel(path / STORE / SENTINEL) is not None
        or _is_running_file(path / RUNNING)
    )


def _is_running_file(path: Path) -> bool:
    try:
        RunningFile.model_validate_json(_content(path))
    except ValidationError:
        return False
    return True


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _shown(path: Path) -> str:
    return safe_text(str(path))
