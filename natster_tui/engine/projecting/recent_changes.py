"""Which documents changed since a view last asked.

With this, a view that shows ten thousand sorted accounts need not sort them all again after an
event that changed two. Only keys are kept; the documents are in the fold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable


class RecentChanges:
    """The keys that changed, each with the time of its last change; at most one entry per key.

    Nothing is kept until a view takes a mark: most projectors have no view.
    """

    def __init__(self) -> None:
        self._now = 0
        self._is_wanted = False
        self._known_from = 0
        self._changed_at: dict[str, int] = {}

    @property
    def mark(self) -> int:
        """The argument for a later call of `since`."""
        self._is_wanted = True
        return self._now

    def note(self, keys: Iterable[str]) -> None:
        """Note that the documents of these keys have just changed."""
        if not self._is_wanted:
            return
        self._now += 1
        for key in keys:
            # Removed first, so that the dictionary stays in the order of the changes.
            self._changed_at.pop(key, None)
            self._changed_at[key] = self._now

    def forget(self) -> None:
        """Note that every document may have changed, for example because a fold starts again."""
        self._now += 1
        self._known_from = self._now
        self._changed_at.clear()

    def since(self, mark: int) -> Collection[str] | None:
        """The keys that changed after a mark was taken; None if that is not known."""
        if mark < self._known_from:
            return None
        found = []
        for key, at in reversed(self._changed_at.items()):
            if at <= mark:
                break
            found.append(key)
        return found
