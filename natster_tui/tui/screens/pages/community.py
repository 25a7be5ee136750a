"""The community page: figures, activity over time, duplicate names, prize candidates."""

from __future__ import annotations

from itertools import islice
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType

from natster_tui.engine.history.activity import Activity, read_activity
from natster_tui.errors import NatsterError
from natster_tui.projections.community.figures import prize_candidates
from natster_tui.projections.community.report import CommunityReport, community_report
from natster_tui.projections.projection_sentences import Names
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.background import start
from natster_tui.tui.clock import full_time
from natster_tui.tui.keys.dialogs import COMMUNITY
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.places.place import DocumentPlace, account_place
from natster_tui.tui.screens.pages.page_dialog import PageDialog
from natster_tui.tui.terminal.clipboard import copy_text
from natster_tui.tui.view import View
from natster_tui.tui.widgets.dialogs.page import Lines

_HEIGHT = 6
_SPANS = 72
_LISTED = 200


class CommunityScreen(PageDialog):
    """One page, of now or of the moment travelled to."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(COMMUNITY)]

    def __init__(self, view: View) -> None:
        super().__init__(view, "Community")
        self._activity: Activity | None = None
        self._problem = ""

    def on_mount(self) -> None:
        """Show what is known, and read what is not."""
        self._draw()
        start(self, self._read, "read")

    async def _read(self) -> None:
        log = self.view.workspace.log
        if log is None:
            return
        try:
            moment = self.view.moment
            self._activity = await read_activity(
                log,
                _SPANS,
                self.view.workspace.options.instance,
                None if moment is None else moment.seq,
            )
        except NatsterError as error:
            self._problem = error.sentence
        self._draw()

    def _draw(self) -> None:
        view, page = self.view, Lines()
        names = view.names
        report = community_report(view.accounts, view.catalogs, view.hubs)
        for count, label in report.figures.rows:
            page.add(Text.assemble((f"{count:>8,}  ", "bold"), label))
        for hub in report.hubs[:_LISTED]:
            page.link(names.of(hub), account_place(hub), before=f"{'hub':>8}  ")
        page.add()
        self._add_duplicates(page, report, names)
        page.add()
        page.add("Activity", "bold")
        if self._activity is not None:
            self._plot(page, "events", self._activity.events)
            self._plot(page, "active shares", self._activity.shares)
            span = f"{full_time(self._activity.first)} to {full_time(self._activity.last)}"
            page.add(f"  {span}", "dim")
        else:
            page.add(f"  {self._problem or 'reading the log …'}", "dim")
        page.add()
        page.add("Prize candidates", "bold")
        for key in report.candidates[:_LISTED]:
            after = f"  {screen_text(key, 80)}"
            page.link(names.of(key), account_place(key), before="  ", after=after)
        if not report.candidates:
            page.add("  none: no account imported a catalog that is not a hub's")
        self.page.show(page.lines)

    def _add_duplicates(self, page: Lines, report: CommunityReport, names: Names) -> None:
        """Each name with the accounts that use it, or with the names that look like it."""
        page.add("Duplicate names, and names that differ in letter case only", "bold")
        for name, state in islice(report.contested.items(), _LISTED):
            page.link(screen_text(name, 60), _catalog_place(name), before="  ")
            owner = account_place(state.owner)
            page.link(names.of(state.owner), owner, before="      belongs to ")
            for account in islice(state.contested_by, _LISTED):
                place = account_place(account)
                page.link(names.of(account), place, before="      also shared by ")
        for name, twins in islice(report.case_collisions.items(), _LISTED):
            page.link(screen_text(name, 60), _catalog_place(name), before="  ")
            for twin in twins[:_LISTED]:
                before = "      differs in letter case only from "
                page.link(screen_text(twin, 60), _catalog_place(twin), before=before)
        if not report.contested and not report.case_collisions:
            page.add("  none")

    def _plot(self, page: Lines, label: str, counts: tuple[int, ...]) -> None:
        """Bars, one column a span, the highest one _HEIGHT lines high."""
        bars = self.view.glyphs.bars
        steps = len(bars) - 1
        top = max(max(counts), 1)
        page.add(f"  {label}, at most {top:,}", "dim")
        for line in range(_HEIGHT - 1, -1, -1):
            row = "  "
            for count in counts:
                filled = round(count / top * _HEIGHT * steps) - line * steps
                row += bars[max(0, min(steps, filled))]
            page.add(row, self.app.theme_variables["primary"])

    def action_copy(self) -> None:
        """Copy the prize candidates, one a line: name and key."""
        names = self.view.names
        candidates = prize_candidates(self.view.accounts, self.view.hubs)
        listed = "\n".join(f"{names.of(key)}\t{screen_text(key, 80)}" for key in candidates)
        what = counted(len(candidates), "candidate")
        self.app.notify(copy_text(self.app, what, listed), markup=False)


def _catalog_place(name: str) -> DocumentPlace:
    return DocumentPlace(CATALOGS.name, name)
