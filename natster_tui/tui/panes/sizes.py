"""The sizes of the panes on a wide screen, set by keys or by dragging the lines between them.

A size is a share: the columns' shares of the width and each pane's share of its column's height, as
they were in cells when they were set. On a narrow screen, and while a pane fills the screen, the
stylesheet decides alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from textual.screen import Screen
from textual.widget import Widget

NARROW = 100
"""Below this width the panes are in one column."""
LARGE = 160
"""From this width on, dialogs may be wide enough for long sentences."""
SHORT = 24
TINY = 14
"""Below this height one column has room for the focused pane only."""

BY_WIDTH = [(0, "-narrow"), (NARROW, "-wide"), (LARGE, "-large")]
BY_HEIGHT = [(0, "-tiny"), (TINY, "-short"), (SHORT, "-tall")]
"""The class of every screen, by its size."""

LEAST_COLUMNS = 24
LEAST_ROWS = 4
STEP_COLUMNS = 4
STEP_ROWS = 2


@dataclass(frozen=True, slots=True)
class Divider:
    """The line between two neighbours: columns beside each other, or panes above each other."""

    first: Widget
    second: Widget
    is_upright: bool


class PaneSizes:
    """The shares that the user set, by the widget's id; none until then."""

    def __init__(self, shares: Mapping[str, int]) -> None:
        self.shares = dict(shares)

    def apply(self, screen: Screen[None]) -> None:
        """Give the panes their shares, or the sizes of the stylesheet if only that decides."""
        applies = self.can_change(screen)
        for column in _columns(screen):
            self._apply(column, "width", applies)
            for pane in column.children:
                self._apply(pane, "height", applies)

    def _apply(self, widget: Widget, side: str, applies: bool) -> None:
        share = self.shares.get(widget.id or "")
        if share is not None and applies:
            setattr(widget.styles, side, f"{share}fr")
        elif widget.styles.inline.has_rule(side):
            widget.styles.clear_rule(side)
            widget.refresh(layout=True)

    def toggle_zoom(self, screen: Screen[None]) -> None:
        """Let the pane in use fill the screen, or give the others their room back."""
        screen.toggle_class("zoomed")
        self.apply(screen)

    def can_change(self, screen: Screen[None]) -> bool:
        """Whether there are panes beside each other."""
        return not screen.has_class("-narrow") and not screen.has_class("zoomed")

    def resize(self, screen: Screen[None], pane: Widget | None, side: str, step: int) -> bool:
        """Change a pane's width or height; False if only the stylesheet decides."""
        if not self.can_change(screen):
            return False
        if pane is not None and side == "width":
            self._widen(screen, pane, step)
        elif pane is not None:
            self._heighten(screen, pane, step)
        return True

    def _widen(self, screen: Screen[None], pane: Widget, step: int) -> None:
        """Make the column of a pane wider, or narrower by a negative step."""
        left, right = _columns(screen)
        step *= STEP_COLUMNS
        self._move(Divider(left, right, True), step if pane.parent is left else -step)
        self.apply(screen)

    def _heighten(self, screen: Screen[None], pane: Widget, step: int) -> None:
        """Make a pane higher, or lower by a negative step, at a neighbour's cost."""
        step *= STEP_ROWS
        shown = _shown(pane.parent)
        if pane not in shown or len(shown) == 1:
            return
        at = shown.index(pane)
        if at + 1 < len(shown):
            self._move(Divider(pane, shown[at + 1], False), step)
        else:
            self._move(Divider(shown[at - 1], pane, False), -step)
        self.apply(screen)

    def reset(self, screen: Screen[None]) -> None:
        """Back to the sizes of the stylesheet."""
        self.shares = {}
        self.apply(screen)

    def divider_at(self, screen: Screen[None], x: int, y: int) -> Divider | None:
        """The line at a place on the screen, in cells; None if there is no such line."""
        if not self.can_change(screen):
            return None
        left, right = _columns(screen)
        if left.region.bottom > y >= left.region.y and x in (right.region.x - 1, right.region.x):
            return Divider(left, right, True)
        for column in (left, right):
            shown = _shown(column)
            for upper, lower in pairwise(shown):
                borders = (lower.region.y - 1, lower.region.y)
                if y in borders and column.region.x <= x < column.region.right:
                    return Divider(upper, lower, False)
        return None

    def drag(self, screen: Screen[None], divider: Divider, x: int, y: int) -> None:
        """Move a line to where the mouse is."""
        first = divider.first.region
        self._move(divider, x - first.right if divider.is_upright else y - first.bottom)
        self.apply(screen)

    def _move(self, divider: Divider, step: int) -> None:
        """Move a line by some cells; all widgets in the same row or column get a share."""
        least = LEAST_COLUMNS if divider.is_upright else LEAST_ROWS
        now = {
            each: each.region.width if divider.is_upright else each.region.height
            for each in _shown(divider.first.parent)
        }
        most = now[divider.second] - least
        step = min(most, max(least - now[divider.first], step))
        if most < 0 or now[divider.first] + step < least:
            return
        now[divider.first] += step
        now[divider.second] -= step
        self.shares |= {each.id: share for each, share in now.items() if each.id is not None}


def _columns(screen: Screen[None]) -> tuple[Widget, Widget]:
    return screen.query_one("#left"), screen.query_one("#right")


def _shown(parent: object) -> Sequence[Widget]:
    assert isinstance(parent, Widget)
    return [child for child in parent.children if child.display]
