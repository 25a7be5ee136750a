"""The line at the top: server, log, head, rate, mode. Always on screen."""

from __future__ import annotations

from enum import IntEnum

from rich.cells import cell_len
from rich.text import Text
from textual.color import Color
from textual.widgets import Static

from natster_tui.engine.leases.waiting import Cause
from natster_tui.engine.projecting.decision import Reason
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.workspace import Connection, Workspace
from natster_tui.events.times import age
from natster_tui.preferences.model import ContextSettings
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.theme import Glyphs, sparkline
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import fit

_SPARK = 8
_USER = 24
_WARNING = 24
_LEAST = 8
"""Names are not cut to fewer cells than this."""
_NOT_YET = (Phase.OFFLINE, Phase.LOADING)
"""The phases in which the stored projection has not been read yet."""
SILENT_S = 2.0
"""Heartbeats come every second, so if two are missing something is wrong."""


class _Parts(IntEnum):
    """How much of the state is shown, the most first."""

    ALL = 0
    HEAD = 1
    """Without the rate."""
    STATES = 2
    """Without the head."""
    WORST = 3
    """What is worst of it."""


class StatusLine(Static):
    """Shows the state of the workspace on one line."""

    def __init__(self, place: ContextSettings) -> None:
        super().__init__(id="status")
        self._place = place
        self._shown: Text | None = None

    def show(self, view: View, since_last: float | None) -> None:
        """Draw it again. `since_last` is seconds since an event last came in."""
        workspace, glyphs = view.workspace, view.glyphs
        width = self.size.width or 80
        theme = self.app.theme_variables
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        text.append(" natster ", f"bold {self._badge(theme)} reverse")
        if self._place.warning:
            warning = screen_text(self._place.warning, _WARNING)
            text.append(f" {glyphs.warn} {warning}", f"bold {self._badge(theme)}")
        hazards = self._hazards(view, short=True)
        room = width - text.cell_len - (cell_len(hazards) + 2 if hazards else 0)
        state = self._state_in(
            room - min(_LEAST, cell_len(workspace.server_shown)) - 3, view, width
        )
        text.append(self._where(workspace, glyphs, room - state.cell_len))
        text.append_text(state)
        self._append_what_fits(text, width, view, since_last)
        if text != self._shown:
            self._shown = text
            # It is always one line, so the screen need not be laid out again, which is slow.
            self.update(text, layout=False)

    def _where(self, workspace: Workspace, glyphs: Glyphs, room: int) -> str:
        """Server and log. If they do not fit, the log's name is left out, then the end is cut.

        The state and the hazards come after them, and must be visible at every width.
        """
        server = workspace.server_shown
        for where in (f" {server} {glyphs.out} {self._stream(workspace)}  ", f" {server}  "):
            if cell_len(where) <= room:
                return where
        if room < _LEAST:
            return " "
        return f" {fit(server, room - 3, glyphs.ellipsis)}  "

    def _state_in(self, room: int, view: View, width: int) -> Text:
        """As much of the state as has room: the rate is left out first, then the head."""
        for parts in _Parts:
            state = self._state(view, width, parts)
            if state.cell_len <= room:
                break
        return state

    def _state(self, view: View, width: int, parts: _Parts) -> Text:
        """The head, the rate, and the state in a word or two."""
        workspace, glyphs, theme = view.workspace, view.glyphs, self.app.theme_variables
        text = Text(end="")
        if parts <= _Parts.HEAD:
            text.append(f"head {view.head:,}", "bold")
        if parts <= _Parts.ALL and workspace.connection is Connection.CONNECTED:
            meter = workspace.follower.meter
            if width >= 90:
                text.append(f"  {sparkline(meter.history(_SPARK), glyphs)}", theme["primary"])
            text.append(f" {meter.per_second:,.0f}/s")
        word, good = self._mode(workspace)
        colour = theme["text-success"] if good else theme["text-error"]
        said, style = "", ""
        if workspace.connection is Connection.CONNECTED:
            said, style = self._agreement(view, good=good)
        states = [(f"{glyphs.on if good else glyphs.bad} {word}", colour)]
        if said:
            states.append((said, theme[style]))
        if parts is _Parts.WORST:
            states = states[-1:] if good and style != "text-success" and said else states[:1]
        for shown, look in states:
            text.append(f"{'  ' if text else ''}{shown}", look)
        return text

    def _agreement(self, view: View, *, good: bool) -> tuple[str, str]:
        """Whether what is stored is what the log says, and its colour; empty if unknown."""
        glyphs, projectors = view.glyphs, view.workspace.stored_projectors
        behind = max(map(view.behind, projectors))
        explained = sum(
            projector.status.drift.explained
            for projector in projectors
            if projector.status.drift is not None
        )
        if any(map(view.has_drift, projectors)):
            return f"{glyphs.bad} drift", "text-error"
        if behind > 0:
            return f"{behind:,} behind", "text-warning"
        if explained:
            return f"{glyphs.off} {explained:,} explained", "text-warning"
        unusable = [each.status for each in projectors if each.status.unusable]
        if any(status.reason is not Reason.NEWER_VERSION for status in unusable):
            return f"{glyphs.bad} stored unusable", "text-error"
        if unusable:
            return f"{glyphs.off} newer version stored", "text-warning"
        if any(map(view.is_only_here, projectors)):
            return f"{glyphs.off} in memory", "text-warning"
        if any(projector.status.phase in _NOT_YET for projector in projectors):
            # What is stored is not known so far.
            return "", ""
        return (f"{glyphs.good} in sync", "text-success") if good else ("", "")

    def _badge(self, theme: dict[str, str]) -> str:
        """The colour of the first word: that of the context, if it has one."""
        if self._place.color:
            return Color.parse(self._place.color).hex6
        return theme["error" if self._place.production else "primary"]

    def _append_what_fits(
        self, text: Text, width: int, view: View, since_last: float | None
    ) -> None:
        """Hazards, sealing, user and the last event's age; hazards come first, then the user."""
        workspace, room = view.workspace, width - text.cell_len
        user = screen_text(workspace.user, max(_LEAST, min(_USER, room - 2)))
        sealing, style = self._sealing(workspace)
        hazards = self._hazards(view)
        if cell_len(hazards) + 2 > room:
            hazards = self._hazards(view, short=True)
        last = "" if since_last is None else f"last event {age(since_last)} ago"
        fitting = set()
        for part in (hazards, user, sealing, last):
            if part and (taken := cell_len(part) + 2) <= room:
                room -= taken
                fitting.add(part)
        warning = self.app.theme_variables["text-warning"]
        for part, look in ((hazards, warning), (sealing, style), (user, "dim"), (last, "dim")):
            if part in fitting:
                text.append(f"  {part}", look)

    def _hazards(self, view: View, *, short: bool = False) -> str:
        """How many hazards the log has; the problems screen says which."""
        if view.workspace.connection is not Connection.CONNECTED:
            return ""
        number = len(view.workspace.hazards)
        if not number:
            return ""
        return f"{view.glyphs.warn} {f'{number:,}' if short else counted(number, 'hazard')}"

    def _sealing(self, workspace: Workspace) -> tuple[str, str]:
        if workspace.connection is not Connection.CONNECTED:
            return "", ""
        sealing = workspace.log.sealing if workspace.log else None
        if sealing is None or not (sealing.seals or sealing.problems):
            return "not sealed", "dim"
        if sealing.problems:
            return "sealed, no key", self.app.theme_variables["text-error"]
        return "sealed", "dim"

    def _stream(self, workspace: Workspace) -> str:
        return screen_text(workspace.options.choice.system.stream, 40)

    def _mode(self, workspace: Workspace) -> tuple[str, bool]:
        """The state in one word, and whether it is good."""
        if workspace.connection is not Connection.CONNECTED:
            return workspace.connection.value, False
        if (silent := workspace.follower.silent_s) > SILENT_S:
            return f"no answer for {age(silent)}", False
        if workspace.store.problem is not None:
            return workspace.store.problem.kind.value, False
        projectors = workspace.stored_projectors
        phases = [projector.status.phase for projector in projectors]
        if Phase.STOPPED in phases:
            return "stopped", False
        if workspace.read_only:
            return "read-only", True
        causes = {each.status.waiting.cause for each in projectors if each.status.waiting}
        if Cause.REFUSED in causes:
            return "lease refused", False
        if causes & {Cause.ANSWER, Cause.RENEWAL}:
            return "waiting for the lease", False
        for phase in (Phase.WATCHING, Phase.PAUSED, Phase.LOADING, Phase.CATCHING_UP):
            if phase in phases:
                return phase.value, True
        return "projecting", True
