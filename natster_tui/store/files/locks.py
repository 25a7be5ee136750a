"""Locks between processes: one process at a time holds a file, until it closes it or ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

LOCKS_SUPPORTED = os.name == "posix"
"""Whether this system has the file locks and permissions that we need."""

NOT_SUPPORTED = (
    "this system has no file locks and permissions as Linux and macOS have them, which the keys "
    "need"
)
"""Why keys cannot be used on a system without them."""


def open_locked(path: Path, *, wait: bool = False) -> int | None:
    """A descriptor that holds the lock; None if another process holds it. Raises OSError.

    The file is created if it is missing. A symbolic link is not followed.
    """
    import fcntl  # not there on Windows, where this module must still be importable

    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with contextlib.ExitStack() as unless_locked:
        unless_locked.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return None
        unless_locked.pop_all()
    return descriptor


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Take a lock; returns whether we got it, always true after waiting. Raises OSError."""
    descriptor = open_locked(path, wait=wait)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)
