"""Whether the embedded server can still store messages.

If a write to disk fails once (a full or broken disk), the server never answers a write to that
stream again until it is restarted, even if there is room. It sends no error, but it logs one. So
this module reads the log. It also checks the disk, which may be too full for a line in the log.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from natster_tui.text.safe_text import safe_text

NO_ROOM_BYTES = 64 * 1024
"""With less free space than this, writes are expected to fail."""
ROOM_BYTES = 4 * 1024**2
"""The free space needed before a server whose disk was full is started again."""

_PROBE_BYTES = 64 * 1024
_READ_AT_MOST = 256 * 1024
_FAILED_WRITE = re.compile(
    rb"^\[(?P<pid>[0-9]+)\] \S+ \S+ \[ERR\] "
    rb"(?:.*critical write error|JetStream failed to store a msg on stream .*?): "
    rb"(?:.*: )?(?P<why>[^:\r\n]+)\r?$",
    re.MULTILINE | re.IGNORECASE,
)


class StoreProblemKind(StrEnum):
    """What is wrong with the store, in the words of the screen."""

    FULL = "disk full"
    BLOCKED = "store blocked"
    """There is room, but the server must be restarted to use it."""


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """Why nothing can be stored now, as a sentence."""

    kind: StoreProblemKind
    sentence: str


class StoreWatch:
    """Checks the store of a running server; `pid` is the server's, which its log names."""

    def __init__(self, store: Path, log: Path, pid: int) -> None:
        self._store = store
        self._log = log
        self._pid = pid
        self._read_to = 0
        self._failed = ""
        """Why a write failed since the server was started, in the server's words."""

    def check(self) -> StoreProblem | None:
        """What keeps the server from storing; None if nothing does. Slower on a problem."""
        self._read_log()
        free = free_bytes(self._store)
        if free is not None and free < NO_ROOM_BYTES:
            # A write may have failed without room to log it.
            self._failed = self._failed or "no space left on device"
        if not self._failed:
            return None
        shown = safe_text(str(self._store))
        if free is not None and free < ROOM_BYTES:
            return StoreProblem(
                StoreProblemKind.FULL,
                f"the disk of {shown} is full ({_amount(free)} free), and nothing can be stored: "
                "make room; writing goes on by itself within seconds",
            )
        if reason := _why_no_room(self._store):
            return StoreProblem(
                StoreProblemKind.FULL,
                f"nothing can be stored in {shown} ({reason}): put that right; writing goes on by "
                "itself within seconds",
            )
        return StoreProblem(
            StoreProblemKind.BLOCKED,
            f"the server could not write to {shown} ({self._failed}), and must be restarted before "
            "it stores anything again: the natster-tui that started it does that, or end that one",
        )

    def _read_log(self) -> None:
        try:
            with self._log.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size < self._read_to:  # it was rotated
                    self._read_to = 0
                if size == self._read_to:
                    return
                file.seek(max(self._read_to, size - _READ_AT_MOST))
                new = file.read(_READ_AT_MOST)
        except OSError:
            return
        complete = new.rfind(b"\n") + 1
        self._read_to = size - (len(new) - complete)
        for failed in _FAILED_WRITE.finditer(new[:complete]):
            if int(failed["pid"]) != self._pid:
                continue
            self._failed = safe_text(failed["why"].decode("utf-8", "replace").strip(), 100)


def free_bytes(path: Path) -> int | None:
    """Bytes that can still be written on the disk of a path; None if that is unknown."""
    try:
        status = os.statvfs(path)
    except OSError:
        return None
    if status.f_files and not status.f_favail:
        return 0
    return status.f_bavail * status.f_frsize


def _why_no_room(path: Path) -> str:
    """Try to write a little to a directory; returns the system's error, empty if it worked."""
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(os.urandom(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()
    return ""


def _amount(count: int) -> str:
    return f"{count / 1024**2:.1f} MiB" if count >= 1024**2 else f"{count / 1024:.0f} KiB"
