"""The projectors pane: where each one stands, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType

from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.projecting.status import Phase
from natster_tui.text.counting import counted, short_count
from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.keys.main_screen import PROJECTORS, SEARCHED
from natster_tui.tui.sheets.lease_sentences import lease_line
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell
from natster_tui.tui.widgets.fitting import SEPARATOR, fitting
from natster_tui.tui.widgets.virtual_list import VirtualList


class Projectors(VirtualList):
    """Two rows for each projector: its position, and remarks on it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(SEARCHED)]
    KEYS = PROJECTORS

    def __init__(self, view: View) -> None:
        super().__init__(view, "4 Projectors", "projectors")
        self.search = ""
        self._shown: list[Projector] = []
        """Those that the search finds; all of them without a search."""
        self._positions: dict[str, tuple[int, int]] = {}
        """The log's head and the lag of each, as of the update that the header had, too."""

    @property
    def search_hint(self) -> str:
        """The prompt's hint for a search."""
        return "a projection, or what its rows say, such as watching or parked"

    @property
    def selected(self) -> Projector | None:
        """The projector under the cursor."""
        return self._shown[self.cursor // 2] if self._shown else None

    def select(self, projection: str) -> None:
        """Put the cursor on the projector of a projection, and end a search that hides it."""
        projector = self.view.workspace.projectors[projection]
        if projector not in self._shown:
            self.search = ""
            self.update_rows()
        self.move_cursor(2 * self._shown.index(projector))

    def sources(self) -> tuple[object, ...]:
        """See `VirtualList.sources`."""
        workspace = self.view.workspace
        versions = tuple(projector.version for projector in workspace.projectors.values())
        verdicts = tuple(self.view.verdicts.items())
        holders = tuple(map(self._holder, workspace.projectors.values()))
        return (versions, self.view.head, verdicts, workspace.versions.beside, holders)

    def update_rows(self) -> None:
        """Take the projectors as they are now."""
        projectors = list(self.view.workspace.projectors.values())
        self._positions = {
            each.projection.name: (
                max(self.view.head, each.status.position),
                self.view.behind(each),
            )
            for each in projectors
        }
        wanted = self.search.lower()
        self._shown = [
            each
            for each in projectors
            if not wanted or any(wanted in text.lower() for text in self._said_of(each))
        ]
        self.set_row_count(2 * len(self._shown))
        hint = self.view.keymap.hint
        actions = [
            f"{hint('projectors.rebuild')} rebuild",
            f"{hint('projectors.verify')} verify",
        ]
        if self.view.workspace.versions.has_any:
            actions.append(f"{hint('projectors.versions')} versions")
        count = ""
        if self.search:
            count = f" ({len(self._shown)} of {len(projectors)})"
            actions.insert(0, f"/{screen_text(self.search, 20)}")
        self.caption(f"4 Projectors{count}", " · ".join(actions))
        self.refresh_rows()

    def row_cells(self, row: int) -> Sequence[Cell]:
        """See `VirtualList.row_cells`."""
        projector = self._shown[row // 2]
        return self._second_row(projector) if row % 2 else self._first_row(projector)

    def empty_lines(self) -> Sequence[str]:
        """See `VirtualList.empty_lines`."""
        return (f" no projector matches {screen_text(self.search, 30)}",) if self.search else ()

    def _said_of(self, projector: Projector) -> Iterator[str]:
        """The texts in which a search looks."""
        status = projector.status
        yield projector.projection.name
        yield projector.projection.bucket
        yield status.phase.value
        yield status.problem
        if self.view.has_drift(projector):
            yield "drift"
        if status.drift is not None:
            yield status.drift.summary
        yield from self._figures(projector)

    def _first_row(self, projector: Projector) -> Sequence[Cell]:
        glyphs, status = self.glyphs, projector.status
        head, lag = self._positions[projector.projection.name]
        drift = self.view.has_drift(projector)
        match status.phase:
            case _ if drift:
                mark, style = glyphs.bad, "bad"
            case Phase.PROJECTING if lag == 0:
                mark, style = glyphs.good, "good"
            case Phase.STOPPED:
                mark, style = glyphs.bad, "bad"
            case Phase.PROJECTING:
                mark, style = glyphs.on, "good"
            case Phase.WATCHING | Phase.PAUSED:
                mark, style = glyphs.off, "warn"
            case _:
                mark, style = glyphs.on, "dim"
        names = (each.projection.name for each in self.view.workspace.projectors.values())
        name = Cell(projector.projection.name, min(16, max(map(len, names))), "strong")
        word = Cell("drift" if drift else status.phase.value, 11, style)
        done, behind = f"{head - lag:,}", f"lag {lag:,}" if lag else ""
        whole, late = f"{done}/{head:,}", [Cell(behind, max(9, len(behind)), "warn")]
        # If not all fits, what the status line shows as well is left out first.
        choices: tuple[tuple[str, list[Cell]], ...]
        choices = ((whole, late), (done, late) if lag else (whole, []), (done, []))
        room = self.row_width - 2 - name.width - word.width - 3
        for position, lag_cells in choices:
            if len(position) + sum(cell.width + 1 for cell in lag_cells) <= room:
                break
        return [Cell(mark, 2, style), name, Cell(position), *lag_cells, word]

    def _second_row(self, projector: Projector) -> Sequence[Cell]:
        status = projector.status
        if status.drift is not None:
            theirs = "another program's"
            if status.other is not None:
                theirs += f" ({status.other.figures})"
            style = "bad" if self.view.has_drift(projector) else "warn"
            return [Cell(" ", 2), Cell(f"{theirs} · {status.drift.summary}", 0, style)]
        trial = self.view.workspace.trial
        if projector.projection.tried_from and trial is not None and trial.problem:
            return [Cell(" ", 2), Cell(trial.problem, 0, "bad")]
        if status.problem:
            style = "bad" if status.phase is Phase.STOPPED else "warn"
            problems = " · ".join([*self._beside(projector), status.problem])
            return [Cell(" ", 2), Cell(problems, 0, style)]
        return [Cell(" ", 2), Cell(self._remarks(projector, self.row_width - 3), 0, "dim")]

    def _remarks(self, projector: Projector, room: int) -> str:
        """The remarks on a projector without problems that fit, whole.

        Which process projects is more important than when it was verified; the inspector says all.
        """
        everything = self._figures(projector)
        if not self._holder(projector):
            return fitting(everything, room)
        verdict = self.view.verdict_of(projector)
        forms = ("",) if verdict is None else (*verdict.forms, "")
        shorter = (self._figures(projector, form, counts_keys=False) for form in forms)
        for figures in (everything, *shorter):
            if cell_len(line := SEPARATOR.join(figures)) <= room:
                return line
        return fitting(everything, room)

    def _figures(
        self, projector: Projector, verdict: str | None = None, *, counts_keys: bool = True
    ) -> list[str]:
        """The remarks on a projector without problems, the most important first.

        `verdict` is a form of the last verify's result, by default the longest.
        """
        status, figures = projector.status, []
        if verdict is None:
            last = self.view.verdict_of(projector)
            verdict = "" if last is None else last.forms[0]
        if projector.projection.tried_from:
            figures.append("tried, not stored")
        if status.touched_by_others:
            figures.append("written by others: verify")
        if verdict:
            figures.append(verdict)
        figures += self._beside(projector)
        if status.parked.count:
            figures.append(f"parked {short_count(status.parked.count)}")
        if status.phase is Phase.CATCHING_UP:
            figures.append(f"{projector.meter.per_second:,.0f}/s")
        if counts_keys:
            figures.append(counted(len(projector.fold.states), "key"))
        if holder := self._holder(projector):
            figures.append(holder)
        return figures

    def _holder(self, projector: Projector) -> str:
        """Which process projects it; empty for a projection that is only tried."""
        workspace = self.view.workspace
        lease = workspace.leases.get(projector.projection.name)
        if lease is None:
            return ""
        return f"lease {lease_line(lease, read_only=workspace.read_only)}"

    def _beside(self, projector: Projector) -> list[str]:
        """The versions that are stored beside it, in a few words each."""
        versions = []
        for version in self.view.workspace.versions.of(projector.projection.name):
            lag = f", lag {short_count(version.lag)}" if version.lag else ""
            versions.append(f"v{version.version} beside{lag}")
        return versions
