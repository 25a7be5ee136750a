"""Streams that nats-server cannot read when it starts, and would delete.

A message block without its key file makes the server say "Error recreating stream" and remove the
whole stream, every other block of it included. A disk that is full just when a block is begun
leaves such a block: the block's file, still empty, and no key file. So before a start the empty
block is removed, and all files are hard-linked aside; a stream that is gone when the server is up
is put back from there. The links are removed before anybody can connect.
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
"""The directory in the store that holds the links, while a server starts."""

_BLOCK = re.compile(r"[0-9]+\.blk")
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)
"""What a file system says that knows no hard links."""


class KeptStreams:
    """The streams of a store as they were before its server started. Methods raise OSError."""

    def __init__(self, store: Path) -> None:
        self._live = store / "jetstream"
        self._aside = store / ASIDE

    def keep(self) -> None:
        """Link every file of every stream aside. Where links are not possible, nothing is kept."""
        self.put_back()  # a start that was killed before it was over
        try:
            for stream in self._streams(self._live):
                _link_tree(stream, self._aside / stream.relative_to(self._live))
        except OSError as error:
            self.drop()
            if error.errno not in _NO_LINKS:
                raise

    def lost(self) -> list[str]:
        """The names of the streams that were kept and are not there any more."""
        return [kept.name for kept in self._streams(self._aside) if not self._is_whole(kept)]

    def put_back(self) -> None:
        """Put back the streams that are not there any more, and drop the links of the others."""
        for kept in self._streams(self._aside):
            if not self._is_whole(kept):
                place = self._live / kept.relative_to(self._aside)
                shutil.rmtree(place, ignore_errors=True)  # what is left of it is kept as well
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
        # One whose name begins with a dot was deleted; only its files were not removed yet.
        yield from (path for path in sorted(root.glob("*/streams/*")) if path.name[0] != ".")


def remove_unfinished_blocks(store: Path) -> None:
    """Remove message blocks that hold nothing and have no key; raises OSError."""
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
