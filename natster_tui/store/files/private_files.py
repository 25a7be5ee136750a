"""Files that only their owner can read, written atomically."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

from natster_tui.errors import RefusedError
from natster_tui.store.files.permissions import replaceable_through
from natster_tui.text.safe_text import safe_text

_READABLE_BY_OTHERS = 0o077
_DRAFT_BYTES = 6


def make_private_directory(path: Path) -> None:
    """Create a directory that only its owner can use, and every missing parent likewise.

    Python creates missing parents with the umask's permissions, and a user who may write to a
    parent can replace this directory. Raises OSError.
    """
    if not path.is_dir():
        if path.parent != path:
            make_private_directory(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file that only its owner can read, atomically.

    Without `replace` an existing file is kept, and FileExistsError raised. Raises OSError.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(_DRAFT_BYTES)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            path.hardlink_to(draft)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def remove_drafts(path: Path, mark: bytes) -> None:
    """Remove drafts that a killed `write_private` left beside a file; they may hold old secrets.

    A draft is known by its name and by `mark`, which every version of the file holds. The caller
    must be the only writer of the file, because drafts of other processes are removed too. Raises
    OSError.
    """
    draft = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{{2 * _DRAFT_BYTES}}}")
    for beside in path.parent.iterdir():
        if draft.fullmatch(beside.name) and beside.is_file() and not beside.is_symlink():
            content = beside.read_bytes()
            if not content or mark in content:
                beside.unlink()


def refuse_if_shared(path: Path) -> None:
    """Raise RefusedError if others may read or replace a key file; raises OSError too."""
    found = path.stat()
    shown = safe_text(str(path))
    if found.st_uid != os.geteuid():
        raise RefusedError(
            f"the key file {shown} belongs to another user, who can read it: `chown` it, or name "
            "another with --key-file"
        )
    if found.st_mode & _READABLE_BY_OTHERS:
        raise RefusedError(
            f"others can read the key file {shown}: `chmod 600` it, "
            "and think about who may have read it"
        )
    if above := replaceable_through(path):
        raise RefusedError(
            f"others may write to {safe_text(str(above))}, and so replace the key file {shown}: "
            "take that permission away (`chmod go-w`), or keep the file elsewhere"
        )
