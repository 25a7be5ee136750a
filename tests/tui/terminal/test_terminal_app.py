"""The base of the application: what ends it with a failure, and what does not."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.css.query import NoMatches
from textual.widget import Widget

from natster_tui.tui.keys.keymap import AS_DECLARED
from natster_tui.tui.terminal.terminal_app import TerminalApp


class Built(Widget):
    """Looks for a part of itself when it is mounted; that part was never made."""

    def __init__(self, *, while_ending: bool) -> None:
        super().__init__()
        self._while_ending = while_ending

    def on_mount(self) -> None:
        if self._while_ending:
            self.app.exit()
        self.query_one("#part")


class App(TerminalApp):
    def __init__(self, *, while_ending: bool) -> None:
        super().__init__(AS_DECLARED, lambda: None, ascii_only=False)
        self._while_ending = while_ending

    def compose(self) -> ComposeResult:
        yield Built(while_ending=self._while_ending)


async def test_a_widget_that_is_still_built_while_the_application_ends_is_no_failure() -> None:
    app = App(while_ending=True)
    await app.run_async(headless=True)
    assert (app.failure, app.return_code) == (None, 0)


async def test_a_part_that_is_missing_in_a_running_application_is_a_failure() -> None:
    app = App(while_ending=False)
    await app.run_async(headless=True)
    assert isinstance(app.failure, NoMatches)
    assert app.return_code == 1
