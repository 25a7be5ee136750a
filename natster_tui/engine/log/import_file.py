"""The file that `import` reads: checked completely before anything is written, in bounded memory.

A small file is read once and kept. A larger one is read again whenever its events are needed. A
pipe or a device cannot be read twice and may never end: its bytes are kept, and refused if there
are too many.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from natster_tui.errors import UsageError
from natster_tui.events.event import Record
from natster_tui.events.log.key_lines import KEYRING, KeyLine, decode_key_line, is_key_line
from natster_tui.events.log.lines import BadLineError, decode_line
from natster_tui.events.system import EventSystem

LONGEST_LINE = 64 << 20
"""Bytes. The largest payload that a server can be configured to take, with escapes."""
LONGEST_PIPE = 256 << 20
"""The most bytes of a file that cannot be read twice."""
KEPT_DECODED = 64 << 20
"""The most bytes of text whose events are kept; they take several times as much memory."""

STANDARD_INPUT = "-"

_BOM = b"\xef\xbb\xbf"
_NOT_TEXT = (
    (b"\x1f\x8b", "compressed with gzip: unpack it first (gunzip)"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first (unzstd)"),
    (b"\xfd7zXZ", "compressed with xz: unpack it first (unxz)"),
    (b"BZh", "compressed with bzip2: unpack it first (bunzip2)"),
    (b"\xff\xfe", "UTF-16 text: convert it first (iconv -f UTF-16 -t UTF-8)"),
    (b"\xfe\xff", "UTF-16 text: convert it first (iconv -f UTF-16 -t UTF-8)"),
    (b"{\x00", "UTF-16 text: convert it first (iconv -f UTF-16LE -t UTF-8)"),
    (b"\x00{", "UTF-16 text: convert it first (iconv -f UTF-16BE -t UTF-8)"),
)


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file of events, after the keys if it has any.

    `events` can be iterated over several times.
    """

    name: str
    keys: tuple[KeyLine, ...]
    events: Iterable[Record]

    @classmethod
    def read(cls, path: str, system: EventSystem) -> ImportFile:
        """Check all of a file ("-": standard input).

        Raises UsageError, which names the first line that is wrong and what is wrong with it.
        """
        name = "standard input" if path == STANDARD_INPUT else Path(path).name
        try:
            lines = _read_again(path) if _is_regular(path) else _kept(path, name)
            return cls.of_lines(lines, name, system)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {(error.strerror or '').lower()}") from error

    @classmethod
    def of_lines(
        cls, lines: Callable[[], Iterable[bytes]], name: str, system: EventSystem
    ) -> ImportFile:
        """The same for lines; `lines` returns all of them each time it is called."""
        keys: list[KeyLine] = []
        kept: list[Record] | None = []
        size = 0
        for entry, length in parse_lines(lines(), name, system):
            size += length
            if isinstance(entry, KeyLine):
                keys.append(entry)
            elif size > KEPT_DECODED:
                kept = None
            elif kept is not None:
                kept.append(entry)
        return cls(name, tuple(keys), _Events(lines, name, system) if kept is None else kept)


@dataclass(frozen=True, slots=True)
class _Events:
    """The events of lines, decoded each time."""

    lines: Callable[[], Iterable[bytes]]
    name: str
    system: EventSystem

    def __iter__(self) -> Iterator[Record]:
        for entry, _length in parse_lines(self.lines(), self.name, self.system):
            if isinstance(entry, Record):
                yield entry


def parse_lines(
    lines: Iterable[bytes], name: str, system: EventSystem
) -> Iterator[tuple[KeyLine | Record, int]]:
    """The key or event in each line, and its length; raises UsageError at the first bad line."""
    seen_key = seen_event = False
    for number, line in enumerate(lines, 1):
        if number == 1:
            _refuse_binary(line, name)
        text = line.removeprefix(_BOM)
        if not text.strip():
            continue
        try:
            if is_key_line(text):
                key = decode_key_line(text)
                _check_place(key, seen_key=seen_key, seen_event=seen_event)
                seen_key = True
                yield key, len(line)
            else:
                seen_event = True
                yield _event_of(text, system), len(line)
        except BadLineError as error:
            raise UsageError(
                f"line {number:,} of {name} is not an event ({_reason(text, error)}): nothing was "
                "imported"
            ) from error


def _check_place(key: KeyLine, *, seen_key: bool, seen_event: bool) -> None:
    if seen_event:
        raise BadLineError("it is a key, and keys come before all events")
    if seen_key == (key.name == KEYRING):
        raise BadLineError(f"the first key, and only that, is {KEYRING}")


def _event_of(line: bytes, system: EventSystem) -> Record:
    """The event in a line; raises BadLineError.

    Only the log's own subjects are accepted. An import publishes, and a message on another subject
    could be anything, even a JetStream request that deletes the log.
    """
    record = decode_line(line)
    if not system.has_subject(record.subject):
        raise BadLineError(f"its subject is not one of {system.subjects}")
    return record


def _reason(line: bytes, error: BadLineError) -> str:
    try:
        line.decode()
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    return str(error)


def _refuse_binary(line: bytes, name: str) -> None:
    for begin, what in _NOT_TEXT:
        if line.startswith(begin):
            raise UsageError(f"{name} is {what}; nothing was imported")


# -- where lines come from ---------------------------------------------------------------------


def _is_regular(path: str) -> bool:
    return path != STANDARD_INPUT and stat.S_ISREG(Path(path).stat().st_mode)


def _read_again(path: str) -> Callable[[], Iterator[bytes]]:
    """The lines of a file, read again each time; raises UsageError if it has changed."""
    before: list[tuple[int, int, int]] = []

    def lines() -> Iterator[bytes]:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            before.append((status.st_ino, status.st_size, status.st_mtime_ns))
            if before[0] != before[-1]:
                raise UsageError(f"{Path(path).name} changed while it was imported: try again")
            yield from _lines_of(file, Path(path).name)

    return lines


def _kept(path: str, name: str) -> Callable[[], Iterable[bytes]]:
    """The lines of a pipe or a device, read once and kept."""
    lines: list[bytes] = []
    with _opened(path) as file:
        size = 0
        for line in _lines_of(file, name):
            size += len(line)
            if size > LONGEST_PIPE:
                raise UsageError(
                    f"{name} is longer than {LONGEST_PIPE >> 20} MiB: write it to a file and "
                    "import that; nothing was imported"
                )
            if not lines:
                _refuse_binary(line, name)
            lines.append(line)
    return lambda: lines


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else Path(path).open("rb")


def _lines_of(file: BinaryIO, name: str) -> Iterator[bytes]:
    number = 1
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise UsageError(
                f"line {number:,} of {name} is longer than {LONGEST_LINE >> 20} MiB, which no "
                "event is; nothing was imported"
            )
        yield line
        number += 1
