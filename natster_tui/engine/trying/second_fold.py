"""A second fold that shows whether a projection's rule is deterministic.

It runs in another process, with another hash seed, batch size and clock. That process is
`python -m` of this module: it reads records from its standard input and prints the result.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hashlib
import marshal
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from natster_tui.errors import BlockedEventError, RefusedError
from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import field_changes
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.tried import declared_name
from natster_tui.text.safe_text import safe_text

_HASH_SEED = "20171"
_TIME_ZONE = "XXX-13:45"
"""An offset from UTC that no place has: no rule that uses local time gives the same there."""
_BATCH = 37
_RESTARTS_EVERY = 16
"""It restarts before batch 2, 32, 512 and so on: a restart reads all documents."""
_CLOCK_S = 400 * 86_400
"""Seconds that the second fold's clock is ahead."""

_SENT_AT_ONCE = 10_000
"""Events that are sent to the other process in one piece."""

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
        """What differs, and the usual causes."""
        return (
            f"the rule is not deterministic: a second fold differs at event {self.seq:,}, in "
            f"{self.field} of {safe_text(self.key, 100)}: {safe_text(self.first, 100)} at first, "
            f"then {safe_text(self.second, 100)}; it may use no clock, no randomness, no order of "
            "a set, and nothing that it keeps outside of its documents"
        )


class SecondFold:
    """The second fold, in a process that runs beside the first one; an async context manager.

    On exit the process is ended, whether it has finished or not. `file` holds the rule.
    """

    def __init__(self, projection: Projection[Any], records: Sequence[Record], file: str) -> None:
        self._projection = projection
        self._records = records
        self._file = file

    async def __aenter__(self) -> Self:
        """Start the process. A thread sends it the events, because the first fold blocks ours."""
        self._run = _Run(declared_name(self._projection), self._records, self._file, upto=0)
        self._answer = asyncio.get_running_loop().run_in_executor(None, self._run.answer)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._run.end()
        await asyncio.wait([self._answer])
        # `difference` raised its error, or was not called because the first fold failed.
        self._answer.exception()

    async def difference(self, fold: Fold[Any]) -> Difference | None:
        """The first difference to a fold of the same events, None if there is none.

        Raises RefusedError when the second fold failed.
        """
        answer = await self._answer
        documents = fold.documents()
        if answer.documents == {key: _digest(each) for key, each in documents.items()}:
            return None
        return await _first_difference(self._projection, self._records, self._file)


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
    run = _Run(declared_name(projection), records, file, upto=upto)
    try:
        answer = await asyncio.to_thread(run.answer)
    finally:
        run.end()
    fold = _folded(projection, records, len(records))
    here = fold.documents()
    for key in [*here, *(key for key in answer.documents if key not in here)]:
        other = answer.documents.get(key)
        if other == (_digest(here[key]) if key in here else None):
            continue
        there = answer.whole.get(key)
        changes = field_changes(here.get(key), None if there is None else there.encode())
        first = changes[0] if changes else None
        if first is None:
            return Difference(upto, key, "its form", "", "")
        return Difference(upto, key, first.path, str(first.before), str(first.after))
    return None


class _Answer(BaseModel):
    """The other process's result: a digest of each document, and whole documents on request."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    documents: dict[str, str]
    whole: dict[str, str]


def _read_answer(answer: bytes) -> _Answer:
    try:
        return _Answer.model_validate_json(answer)
    except ValidationError as error:
        # Something that was loaded with the rule wrote to standard output.
        raise RefusedError("the second fold failed: its answer cannot be read") from error


class _Run:
    """One run of the other process; `upto` > 0 asks for whole documents."""

    def __init__(self, name: str, records: Sequence[Record], file: str, *, upto: int) -> None:
        self._records = records
        # Not a pipe, which would fill up while it is not read.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - `answer` closes it
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, file, name, str(upto)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONHASHSEED": _HASH_SEED, "TZ": _TIME_ZONE},
        )

    def answer(self) -> _Answer:
        """Send the events and wait for the answer; blocks. Raises RefusedError."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with self._errors, process:
            # If it has ended already, its errors say why.
            with contextlib.suppress(BrokenPipeError), process.stdin:
                for start in range(0, len(self._records), _SENT_AT_ONCE):
                    part = self._records[start : start + _SENT_AT_ONCE]
                    process.stdin.write(marshal.dumps([_packed(each) for each in part]))
            out = process.stdout.read()
            if process.wait() == 0:
                return _read_answer(out)
            self._errors.seek(0)
            why = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        raise RefusedError(f"the second fold failed: {safe_text(why[-1] if why else '', 300)}")

    def end(self) -> None:
        """End the process if it still runs; `answer` then raises."""
        self._process.kill()


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


class _AsBefore(type):
    """The class of a clock's type, of which the values made elsewhere are instances as well."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])


def _received() -> Iterator[Record]:
    """The records from the first process; only that can write to our standard input."""
    while True:
        try:
            part: list[_Packed] = marshal.load(sys.stdin.buffer)  # noqa: S302 - our own pipe
        except EOFError:
            return
        yield from (Record(*each) for each in part)


def _put_clocks_forward() -> None:
    """Let all clocks that a rule may read be ahead of the time."""
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + _CLOCK_S
    time.time_ns = lambda: real_ns() + _CLOCK_S * 10**9
    ahead = datetime.timedelta(seconds=_CLOCK_S)

    class LaterDate(datetime.date, metaclass=_AsBefore):
        @classmethod
        def today(cls) -> datetime.date:  # type: ignore[override]
            return super().today() + ahead

    class LaterTime(datetime.datetime, metaclass=_AsBefore):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return super().now(tz) + ahead

        @classmethod
        def utcnow(cls) -> datetime.datetime:  # type: ignore[override]
            return super().utcnow() + ahead

    datetime.date, datetime.datetime = LaterDate, LaterTime  # type: ignore[misc]


def _restarted(fold: Fold[Any], projection: Projection[Any]) -> Fold[Any]:
    """The fold of a projector that was restarted here: it has nothing but the documents."""
    states = {key: projection.decode(each) for key, each in fold.documents().items()}
    return Fold(projection, states, fold.seq, fold.time_ns, fold.parked)


def _main(file: str, name: str, upto: int) -> None:
    from natster_tui.engine.rule_alarm import watch_rules
    from natster_tui.projections.registering.loading import load_file

    # A rule may print, and that must not get into the answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _put_clocks_forward()

    def loaded() -> Projection[Any]:
        projection = next(each for each in load_file(Path(file)) if each.name == name)
        watch_rules([projection])
        return projection

    fold = Fold(loaded())
    received, batches, restarts_at = _received(), 0, 2
    while batch := list(islice(received, min(batches + 1, _BATCH))):
        batches += 1
        if batches == restarts_at:
            restarts_at *= _RESTARTS_EVERY
            fold = _restarted(fold, loaded())
        fold.apply_all(batch, [NATSTER.read(each) for each in batch])
    documents = fold.documents()
    answer = _Answer(
        documents={key: _digest(each) for key, each in documents.items()},
        whole={key: each.decode() for key, each in documents.items()} if upto else {},
    )
    answers.write(answer.model_dump_json())
    answers.close()


if __name__ == "__main__":
    try:
        _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    except BlockedEventError as error:
        sys.exit(error.sentence)
