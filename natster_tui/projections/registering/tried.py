"""Projections of a file that are tried: folded in memory and shown, but never stored.

A tried projection has a name of its own (`activity.try` for `activity`), because another version of
it may be in use. It is compared with what is stored in that version's bucket.
"""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any

from natster_tui.errors import ProjectionRefusedError
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.loading import load_file, saved_at
from natster_tui.text.safe_text import safe_text

_SUFFIX = ".try"
"""No registered name has a dot."""


class TriedFile:
    """The projections of a file, and whether it was saved since. Raises ProjectionRefusedError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._saved = saved_at(path)
        self.projections = tuple(_tried(each, path) for each in load_file(path))

    @property
    def name(self) -> str:
        """The file's name, for people."""
        return safe_text(self.path.name, 100)

    def was_saved(self) -> bool:
        """Whether the file was saved since the last call; not while it cannot be read."""
        before, self._saved = self._saved, saved_at(self.path) or self._saved
        return before != self._saved

    def reload(self) -> None:
        """Give the projections the rules of the saved file, in place, because panes refer to them.

        Raises ProjectionRefusedError; then nothing has changed.
        """
        found = load_file(self.path, self.name)
        loaded = {each.name: each for each in (_tried(x, self.path) for x in found)}
        if loaded.keys() != {each.name for each in self.projections}:
            raise ProjectionRefusedError(
                f"{self.name} defines projections of other names now: start again to try them"
            )
        for projection in self.projections:
            saved = loaded[projection.name]
            projection.__class__ = saved.__class__
            vars(projection).clear()
            vars(projection).update(vars(saved))


def declared_name(projection: Projection[Any]) -> str:
    """The name that a projection has in its file."""
    return projection.name.removesuffix(_SUFFIX) if projection.tried_from else projection.name


def _tried(projection: Projection[Any], path: Path) -> Projection[Any]:
    tried = copy(projection)
    tried.name = f"{projection.name}{_SUFFIX}"
    tried.tried_from = str(path)
    return tried
