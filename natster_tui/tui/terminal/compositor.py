"""Textual's compositor, which renders only the widgets that can be seen where something changed.

Textual renders every widget between the first and the last changed line of the screen, and those
that others cover. On the main screen some thirty times a second a few lines change, and rendering
the other panes, frames and scroll bars took longer than rendering those lines.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

_Places = dict[Widget, tuple[Region, Region]]
"""Where widgets are, and what they are clipped to; the one in front first."""


class FrontCompositor(Compositor):
    """The compositor. A full update is Textual's own."""

    _changed: Collection[Region] = ()
    """The regions that a partial update renders, while it does."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """See `Compositor.render_partial_update`."""
        self._changed = self._dirty_regions.copy()
        try:
            return super().render_partial_update()
        finally:
            self._changed = ()

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """See `Compositor._get_renders`."""
        if not self._changed:
            yield from super()._get_renders(crop)
            return
        for widget, (region, clip) in frontmost(self._changed, self.visible_widgets).items():
            seen = region.intersection(clip)
            yield region, clip, widget.render_lines(seen.translate(-region.offset))


def frontmost(changed: Iterable[Region], widgets: _Places) -> _Places:
    """The widgets that have a part in what is seen of some regions.

    A widget fills its region, so nothing is seen of those behind one that contains a whole region.
    """
    areas = [(widget, region.intersection(clip)) for widget, (region, clip) in widgets.items()]
    seen: set[Widget] = set()
    for region in changed:
        for widget, area in areas:
            if area.overlaps(region):
                seen.add(widget)
                if area.contains_region(region):
                    break
    return {widget: place for widget, place in widgets.items() if widget in seen}
