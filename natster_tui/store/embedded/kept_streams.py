"""Streams that nats-server cannot read when it starts, and would delete.

If a message block has no key file, the server logs "Error recreating stream" and removes the whole
stream, with all its other blocks. A disk that fills up when a block is created leaves such a block:
an empty file without a key file. So before a start the empty block is removed, and all files are
hard-linked into another directory. A stream that is gone once the server runs is restored from
there. The links are removed before any client can connect.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from natster_tui.store.files.private_files import make_private_directory

ASIDE = "before-start"
"""The directory in the store that holds the links while a server starts."""

_BLOCK = re.compile(r"[0-9]+\.blk")
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)
"""The errors of a file system without hard links."""


class KeptStreams:
    """The streams of a store as they were before its server started. Methods raise OSError."""

    def __init__(self, store: Path) -> None:
        self._live = store / "jetstream"
        self._aside = store / ASIDE

    def keep(self) -> None:
        """Link every file of every stream; keeps nothing if the file system has no hard links."""
        self.restore()  # left by a start that was killed
        try:
            for stream in self._streams(self._live):
                _link_tree(stream, self._aside / stream.relative_to(self._live))
        except OSError as error:
            self.drop()
            if error.errno not in _NO_LINKS:
                raise

    def lost(self) -> list[str]:
        """The names of kept streams that are gone from the store."""
        return [kept.name for kept in self._streams(self._aside) if not self._is_whole(kept)]

    def restore(self) -> None:
        """Restore the streams that are gone, and remove the links of the others."""
        for kept in self._streams(self._aside):
            if not self._is_whole(kept):
                place = self._live / kept.relative_to(self._aside)
                shutil.rmtree(place, ignore_errors=True)  # the rest of it is kept too
                make_private_directory(place.parent)
                kept.rename(place)
        self.drop()

    def drop(self) -> None:
        """Remove the links."""
        shutil.rmtree(self._aside, ignore_errors=True)

    def _is_whole(self, kept: Path) -> bool:
        place = self._live / kept.relative_to(self._aside)
        return (place / "meta.inf").exists() and (place / "msgs").is_dir()

    @staticmethod
    def _streams(root: Path) -> Iterator[Path]:
        # A name with a leading dot is a deleted stream whose files still have to be removed.
        yield from (path for path in sorted(root.glob("*/streams/*")) if path.name[0] != ".")


def remove_unfinished_blocks(store: Path) -> None:
    """Remove empty message blocks without a key; raises OSError."""
    for messages in store.glob("jetstream/*/streams/*/msgs"):
        keyed = any(messages.glob("*.key"))
        for block in messages.iterdir():
            if (
                keyed
                and _BLOCK.fullmatch(block.name)
                and not block.with_suffix(".key").exists()
                and block.stat().st_size == 0
            ):
                block.unlink()


def _link_tree(source: Path, target: Path) -> None:
    make_private_directory(target)
    for entry in source.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _link_tree(entry, target / entry.name)
        elif entry.is_file() and not entry.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                os.link(entry, target / entry.name)
