"""Questions before an action: if the settings ask for them, and always in production."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App

from natster_tui.tui.preferences import Preferences
from natster_tui.tui.screens.confirm import ConfirmNameScreen, ConfirmScreen
from natster_tui.tui.theme import Glyphs

_QUESTIONS = {
    "quit": "Leave the dashboard?",
    "publish": "Publish an event?",
    "rebuild": "Rebuild projections?",
    "promote": "Promote the version beside to the stored one?",
    "drop": "Delete the bucket of a version beside?",
}
_GUARDED = ("publish", "rebuild", "promote", "drop")
"""The actions for which the place's name must be typed in production."""


class Confirmation:
    """Asks before actions; its dialogs are shown on `app`."""

    def __init__(self, preferences: Preferences, glyphs: Glyphs, app: App[None]) -> None:
        self._preferences = preferences
        self._glyphs = glyphs
        self._app = app

    def then(self, action: str, do: Callable[[], object]) -> None:
        """Do it, after a question if the action needs one."""
        question = _QUESTIONS.get(action)
        context = self._preferences.context
        if question is not None and context.production and action in _GUARDED:
            name = self._preferences.place.name
            asked = f"{context.warning}: {question}"
            self._ask(ConfirmNameScreen(asked, name, self._glyphs), do)
        elif question is not None and action in self._preferences.confirm:
            self._ask(ConfirmScreen(question, self._glyphs), do)
        else:
            do()

    def _ask(self, screen: ConfirmScreen | ConfirmNameScreen, do: Callable[[], object]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                do()

        self._app.push_screen(screen, answered)
