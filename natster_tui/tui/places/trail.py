"""The history of places, with back and forward as in a browser."""

from __future__ import annotations

from natster_tui.tui.places.place import Place

KEPT = 100
"""Places remembered; the oldest are forgotten first."""


class Trail:
    """The visited places in order, and the current one."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._at = 0

    def visit(self, here: Place | None, there: Place) -> None:
        """Go from one place to another, and forget the places ahead."""
        before = self._places[: self._at]
        if here is not None:
            before.append(here)
        if here == there:
            before.pop()
        self._places = [*before, there][-KEPT:]
        self._at = len(self._places) - 1

    def back(self, here: Place | None) -> Place | None:
        """The place before this one, None at the beginning. `here` is what `forward` returns to."""
        return self._step(-1, here) if self.has_back else None

    def forward(self, here: Place | None) -> Place | None:
        """The place after this one, None at the end."""
        return self._step(1, here) if self.has_forward else None

    def _step(self, step: int, here: Place | None) -> Place:
        if here is not None:
            # The cursor may have moved since: coming back leads to its last row.
            self._places[self._at] = here
        self._at += step
        return self._places[self._at]

    @property
    def has_back(self) -> bool:
        """Whether there is a place before this one."""
        return self._at > 0

    @property
    def has_forward(self) -> bool:
        """Whether there is a place after this one."""
        return self._at < len(self._places) - 1

    def path(self, last: int) -> tuple[Place, ...]:
        """The last places on the way here, this one included; empty before the first step."""
        if not self.has_back:
            return ()
        return tuple(self._places[: self._at + 1][-last:])
