"""A second fold that shows whether a projection's rule is deterministic.

It runs in another process, with another hash seed, batch size and clock. That process is
`python -m` of this module: it reads records from its standard input and prints the result.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import marshal
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from natster_tui.errors import BlockedEventError, RefusedError
from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import field_changes
from natster_tui.projections.fold import Fold
from natster_tui.text.safe_text import safe_text

_HASH_SEED = "20171"
_BATCH = 37
_CLOCK_S = 400 * 86_400
"""Seconds that the second fold's clock is ahead."""

_Packed = tuple[int, int, str, bytes, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first event after which two folds of the same events differ, and in what."""

    seq: int
    key: str
    field: str
    first: str
    second: str

    @property
    def sentence(self) -> str:
        """For a person."""
        return (
            f"the rule is not deterministic: a second fold differs at event {self.seq:,}, in "
            f"{self.field} of {safe_text(self.key, 100)}: {safe_text(self.first, 100)} at first, "
            f"then {safe_text(self.second, 100)}; it may use no clock, no randomness, and no order "
            "of a set"
        )


async def second_fold(
    projection: Projection[Any], records: Sequence[Record], fold: Fold[Any], file: str
) -> Difference | None:
    """Fold again in another process; the first difference, None if there is none."""
    if not records:
        return None
    answer = json.loads(await _run(projection.name, records, file, upto=0))
    documents = fold.documents()
    if answer["documents"] == {key: _digest(each) for key, each in documents.items()}:
        return None
    return await _first_difference(projection, records, file)


async def _first_difference(
    projection: Projection[Any], records: Sequence[Record], file: str
) -> Difference | None:
    """Find the event by folding shorter and shorter prefixes of the log."""
    low, high = 0, len(records)
    found: Difference | None = None
    while low < high:
        middle = (low + high) // 2
        upto = records[middle].seq
        difference = await _difference_at(projection, records[: middle + 1], file, upto)
        if difference is None:
            low = middle + 1
        else:
            found, high = difference, middle
    return found


async def _difference_at(
    projection: Projection[Any], records: Sequence[Record], file: str, upto: int
) -> Difference | None:
    answer = json.loads(await _run(projection.name, records, file, upto=upto))
    fold = _folded(projection, records, len(records))
    here = fold.documents()
    for key in [*here, *(key for key in answer["documents"] if key not in here)]:
        other = answer["documents"].get(key)
        if other == (_digest(here[key]) if key in here else None):
            continue
        there = answer["whole"].get(key)
        changes = field_changes(here.get(key), None if there is None else there.encode())
        first = changes[0] if changes else None
        if first is None:
            return Difference(upto, key, "its form", "", "")
        return Difference(upto, key, first.path, str(first.before), str(first.after))
    return None


async def _run(name: str, records: Sequence[Record], file: str, *, upto: int) -> bytes:
    """What the other process prints; `upto` > 0 asks for whole documents."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        file,
        name,
        str(upto),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONHASHSEED": _HASH_SEED},
    )
    out, errors = await process.communicate(marshal.dumps([_packed(each) for each in records]))
    if process.returncode:
        why = errors.decode("utf-8", "replace").strip().splitlines()
        raise RefusedError(f"the second fold failed: {safe_text(why[-1] if why else '', 300)}")
    return out


def _packed(record: Record) -> _Packed:
    return (record.seq, record.time_ns, record.subject, record.payload, record.headers)


def _digest(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()


def _folded(projection: Projection[Any], records: Sequence[Record], size: int) -> Fold[Any]:
    fold = Fold(projection)
    for start in range(0, len(records), size):
        batch = records[start : start + size]
        fold.apply_all(batch, [NATSTER.read(each) for each in batch])
    return fold


def _records(packed: Iterable[_Packed]) -> list[Record]:
    return [Record(*each) for each in packed]


def _received() -> list[_Packed]:
    """The records from the first process; only that can write to our standard input."""
    packed: list[_Packed] = marshal.loads(sys.stdin.buffer.read())  # noqa: S302 - our own pipe
    return packed


def _main(file: str, name: str, upto: int) -> None:
    from natster_tui.projections.registering.loading import load_file

    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + _CLOCK_S
    time.time_ns = lambda: real_ns() + _CLOCK_S * 10**9
    projection = next(each for each in load_file(Path(file)) if each.name == name)
    fold = _folded(projection, _records(_received()), _BATCH)
    documents = fold.documents()
    answer = {"documents": {key: _digest(each) for key, each in documents.items()}}
    if upto:
        answer["whole"] = {key: each.decode() for key, each in documents.items()}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    try:
        _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    except BlockedEventError as error:
        sys.exit(error.sentence)
