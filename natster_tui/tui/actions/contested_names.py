"""Notices when a catalog name becomes contested."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from natster_tui.engine.workspace import Workspace
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.community.figures import contested_names
from natster_tui.projections.projection_sentences import Names
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.keymap import Keymap

_NOTICES_AT_ONCE = 3
"""If more names become contested at once, they share one notice."""
PAUSE_S = 5.0
"""Seconds from one notice to the next, which is about all names of that time. A notice stays for
as long, and while it comes and goes Textual lays out and paints the whole screen."""


class ContestedNames:
    """Compares the catalogs with those at the last call.

    Names that were contested when the log was first read to its end, or when a fold was replaced,
    get no notice.
    """

    def __init__(self, workspace: Workspace, keymap: Keymap) -> None:
        self._workspace = workspace
        self._key = keymap.hint("app.community")
        self._known: set[str] | None = None
        self._mark = 0
        self._waiting: dict[str, None] = {}
        self._pauses_until = 0.0

    def newly(self) -> Iterator[str]:
        """One sentence for each name that became contested since the last notice."""
        projector = self._workspace.projectors[CATALOGS.name]
        catalogs = projector.fold.states
        changed = None if self._known is None else projector.changes.since(self._mark)
        self._mark = projector.changes.mark
        position = projector.status.position
        # An empty log counts as unread: what fills it at once is history, as in the demo.
        is_behind = position == 0 or position < self._workspace.follower.head
        if self._known is None or changed is None:
            self._waiting.clear()
            self._known = None if is_behind else set(contested_names(catalogs))
            return
        now_contested = [
            name
            for name in changed
            if (state := catalogs.get(name)) is not None
            and state.contested_by
            and name not in self._known
        ]
        self._known.update(now_contested)
        self._waiting.update(dict.fromkeys(now_contested))
        if self._waiting and time.monotonic() >= self._pauses_until:
            self._pauses_until = time.monotonic() + PAUSE_S
            waiting, self._waiting = self._waiting, {}
            yield from self._sentences([name for name in waiting if name in catalogs], catalogs)

    def _sentences(
        self, contested: Sequence[str], catalogs: Mapping[str, CatalogState]
    ) -> Iterator[str]:
        if len(contested) > _NOTICES_AT_ONCE:
            yield f"{len(contested):,} catalog names became contested ({self._key} lists them)"
            return
        names = Names(self._workspace.projectors[ACCOUNTS.name].fold.states)
        for name in contested:
            state = catalogs[name]
            *_, other = state.contested_by
            yield (
                f"{screen_text(name, 60)} is contested: {names.of(other)} shared a catalog of that "
                f"name too; it belongs to {names.of(state.owner)} ({self._key} lists all)"
            )
