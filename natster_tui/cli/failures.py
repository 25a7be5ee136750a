"""What a person is told when something fails that no part of the program has a sentence for."""

from __future__ import annotations

import traceback
from pathlib import Path

from natster_tui.errors import NatsterError


def as_sentence(error: BaseException) -> NatsterError:
    """Any failure as one of ours; a mistake of ours with the place that a report needs."""
    if isinstance(error, NatsterError):
        return error
    if isinstance(error, OSError) and error.strerror:
        # Whatever talks to a server has sentences of its own; what is left is our output.
        where = "" if error.filename is None else f" {error.filename}"
        return NatsterError(f"cannot read or write{where}: {error.strerror.lower()}")
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return NatsterError(f"internal error, please report it: {type(error).__name__}{place}: {error}")
