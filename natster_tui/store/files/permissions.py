"""Whether other users may write to a directory, or replace it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def writable_by_others(path: Path) -> bool:
    """Whether users other than its owner may write to a directory or file; raises OSError."""
    return bool(path.stat().st_mode & _WRITABLE_BY_OTHERS)


def replaceable_through(path: Path) -> Path | None:
    """The directory above a path whose permissions let other users replace what is at the path.

    They may do so if they can write to the directory and it is not sticky. In a sticky one, such as
    /tmp, a user cannot rename or remove files of another user. Returns None if there is no such
    directory. Raises OSError.
    """
    # The directory of a link to it counts too: replacing the link replaces the directory.
    aboves = (*path.absolute().parents, *Path(os.path.realpath(path)).parents)
    for above in dict.fromkeys(aboves):
        try:
            found = above.stat()
        except FileNotFoundError:
            continue  # does not exist yet; it will be created for its owner only
        if found.st_mode & stat.S_ISVTX:
            continue
        if found.st_mode & stat.S_IWOTH:
            return above
        if found.st_mode & stat.S_IWGRP and not _is_private(found.st_gid):
            return above
    return None


def _is_private(group: int) -> bool:
    """Whether a group is a user's private group, which many systems create by default."""
    import grp  # not there on Windows
    import pwd

    try:
        entry, user = grp.getgrgid(group), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return (
        group == user.pw_gid
        and entry.gr_name == user.pw_name
        and set(entry.gr_mem) <= {user.pw_name}
    )
