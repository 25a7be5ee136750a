"""Restoring a place's remembered theme, orders, sizes and filter, and saving changes."""

from __future__ import annotations

import asyncio
from functools import partial

from textual.app import App

from natster_tui.preferences.memory import Memory, Remembered
from natster_tui.tui.actions.search import Search
from natster_tui.tui.background import news, start
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.panes.sizes import PaneSizes
from natster_tui.tui.theme import DARK

SAVE_EVERY_S = 2.0


class LayoutMemory:
    """Restores the layout of `app` and saves it while it changes. A problem is shown once."""

    def __init__(
        self,
        memory: Memory,
        theme_of_settings: str,
        panes: Panes,
        sizes: PaneSizes,
        app: App[None],
    ) -> None:
        self._memory = memory
        self._theme_of_settings = theme_of_settings
        self._panes = panes
        self._sizes = sizes
        self._app = app
        self._last_filter = memory.remembered.filter
        self._saved = memory.remembered
        self._shown_problem = ""

    @property
    def first_theme(self) -> str:
        """The theme to begin with: the one that was chosen last, or that of the settings."""
        remembered = self._memory.remembered
        is_chosen = remembered.theme_of_settings == self._theme_of_settings
        theme = remembered.theme if is_chosen else ""
        return theme if theme in self._app.available_themes else self._usual_theme

    def restore(self, search: Search) -> None:
        """Restore the rest; the filter hides events and is only offered."""
        remembered, app = self._memory.remembered, self._app
        for name, pane in self._panes.documents.items():
            if name in remembered.orders:
                pane.set_order(*remembered.orders[name])
        self._sizes.shares = dict(remembered.shares)
        search.filter_to_offer = remembered.filter
        if self._memory.is_kept:
            self._saved = self._now()
            app.set_interval(SAVE_EVERY_S, self._save)
        self._show_problem()

    @property
    def _usual_theme(self) -> str:
        return self._theme_of_settings or DARK.name

    def _now(self) -> Remembered:
        filtered = self._panes.timeline.filter_text
        self._last_filter = filtered or self._last_filter
        return Remembered(
            theme="" if self._app.theme == self._usual_theme else self._app.theme,
            theme_of_settings=self._theme_of_settings,
            orders={name: pane.order for name, pane in self._panes.documents.items()},
            shares=dict(self._sizes.shares),
            filter=self._last_filter,
        )

    def _save(self) -> None:
        """Save what has changed since the last time."""
        now = self._now()
        if now != self._saved:
            self._saved = now
            start(self._app, partial(self._write, now), "layout_memory")

    async def _write(self, now: Remembered) -> None:
        await asyncio.to_thread(self._memory.keep, now)  # it waits for the disk
        self._show_problem()

    def _show_problem(self) -> None:
        if self._memory.problem != self._shown_problem:
            self._shown_problem = self._memory.problem
            news(self._app, self._shown_problem)

    def end(self) -> None:
        """Save the last changes."""
        if self._memory.is_kept and (now := self._now()) != self._saved:
            self._memory.keep(now)
