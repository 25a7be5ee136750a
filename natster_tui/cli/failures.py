"""Turning unexpected exceptions into one sentence, without the values in them."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from natster_tui.errors import NatsterError

_PACKAGE = "natster_tui"
_WORDS = re.compile(r"[A-Za-z ]+")


def as_sentence(error: BaseException) -> NatsterError:
    """Turn any exception into a NatsterError; for a bug it names the place in the code."""
    if isinstance(error, NatsterError):
        return error
    if isinstance(error, OSError) and error.strerror:
        # Server errors are NatsterErrors already, so this one is about our own files or output.
        where = "" if error.filename is None else f" {error.filename}"
        return NatsterError(f"cannot read or write{where}: {error.strerror.lower()}")
    return NatsterError(f"internal error, please report it: {_without_values(error)}")


def report_unawaited(say: Callable[[str], None]) -> None:
    """Report failures that reach no caller with `say`, as one sentence each.

    These are failures of tasks that are never awaited, and failures during cleanup. Python would
    print them with their messages, which may quote secrets.
    """
    logger = logging.getLogger("asyncio")
    logger.addHandler(_SentenceHandler(say))
    logger.propagate = False
    sys.unraisablehook = lambda failed: (
        None if failed.exc_value is None else say(as_sentence(failed.exc_value).sentence)
    )


class _SentenceHandler(logging.Handler):
    """Reports what asyncio logs: the exception, or else the first words of the log message."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Report one log record."""
        if record.exc_info and record.exc_info[1] is not None:
            self._say(as_sentence(record.exc_info[1]).sentence)
        elif words := _WORDS.match(record.getMessage()):
            self._say(f"internal error, please report it: {words[0].strip()}")


def _without_values(error: BaseException) -> str:
    """An error's type and where it arose, in our code and below it.

    Its message is left out: it may quote data that the program worked on, and a password in it
    cannot be recognised as one.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _PACKAGE in Path(frame.filename).parts]
    places = dict.fromkeys(
        f"{Path(frame.filename).name}:{frame.lineno}" for frame in (*ours[-1:], *frames[-1:])
    )
    return " at ".join((type(error).__name__, *places))
