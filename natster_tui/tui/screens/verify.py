"""The verify dialog: it compares what is stored with the log, and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.binding import BindingType

from natster_tui.engine.projecting.stored_projection import BucketState
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.rebuilding.scope import OneKey, Scope, WholeProjections
from natster_tui.projections.api import Projection
from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.dialogs import VERIFY
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.screens.replay import ReplayScreen
from natster_tui.tui.view import View
from natster_tui.tui.widgets.dialogs.hints import Hint


class VerifyScreen(ReplayScreen):
    """Compares what is stored with the log, and offers to rebuild what differs."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(VERIFY)]

    def __init__(self, view: View, projections: Sequence[Projection[Any]]) -> None:
        super().__init__(view, "Verify", projections)
        self._differs: Scope | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """See `DOMNode.check_action`."""
        if action == "rebuild":
            return self._differs is not None
        return super().check_action(action, parameters)

    def action_rebuild(self) -> None:
        """Go on with the rebuild of what differs."""
        if self._differs is not None and self.is_current:
            self.dismiss(self._differs)

    def on_mount(self) -> None:
        """Begin at once: nothing is written."""
        self.hint(closing="cancels")
        self.work(self._verify)

    async def _verify(self) -> None:
        self.say("Replaying the log, and comparing what is stored with what it says.")
        work = self.view.workspace.rebuild(
            WholeProjections(tuple(self.projections)), self.show_progress
        )
        verdicts = await work.verify()
        self.clear()
        self.say("What is stored, compared with the log:")
        for verdict in verdicts:
            self.show_verdict(verdict)
        self.warn_of_repeated_ids(work.progress)
        if not self.view.workspace.read_only:
            self._differs = _to_rebuild(verdicts)
        if self._differs is None:
            self.hint()
            return
        these = " and ".join(each.name for each in self._differs.projections)
        if isinstance(self._differs, OneKey):
            these = f"only {screen_text(self._differs.key, 60)}"
        self.hint(Hint("verify.rebuild", f"rebuilds these: {these}", "screen.rebuild"))


def _to_rebuild(verdicts: Sequence[Verdict]) -> Scope | None:
    """What to rebuild after a verify; None if nothing differs."""
    bad = [each for each in verdicts if not each.good]
    if not bad:
        return None
    if len(bad) == 1 and len(bad[0].diff.changes) == 1 and bad[0].bucket_state is BucketState.OURS:
        return OneKey(bad[0].projection, bad[0].diff.changes[0].key)
    return WholeProjections(tuple(each.projection for each in bad))
