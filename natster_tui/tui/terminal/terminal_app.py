"""The base of the application: how it handles keys, line filters and failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.filter import LineFilter
from textual.screen import Screen

from natster_tui.tui.background import end_answers
from natster_tui.tui.keys.keymap import Keymap, key_shown
from natster_tui.tui.terminal.ascii_filter import AsciiFilter
from natster_tui.tui.terminal.driver import terminal_driver
from natster_tui.tui.terminal.line_filter import FilterChain, SafeLineFilter
from natster_tui.tui.typed_ahead import TypedAhead


class TerminalApp(App[None]):
    """The base of the dashboard. `pressed` is called at once, from a thread, with every key."""

    def __init__(self, keymap: Keymap, pressed: Callable[[], None], *, ascii_only: bool) -> None:
        super().__init__()
        self.keymap = keymap
        self.driver_class = terminal_driver(self.driver_class, pressed)
        self._ascii_only = ascii_only
        self._own_filters = [*([AsciiFilter()] if ascii_only else []), SafeLineFilter()]
        self._filters_in_use = FilterChain(())
        self.typed_ahead = TypedAhead(self, super().on_event)

    def begin_with_theme(self, name: str) -> None:
        """Set the theme before the application runs.

        A theme that is set later makes Textual read and apply all styles a second time, which is
        a fifth of the time to the first picture.
        """
        self.set_reactive(App.theme, name)
        dark = self.current_theme.dark
        self.set_class(dark, "-dark-mode", update=False)
        self.set_class(not dark, "-light-mode", update=False)
        self._refresh_truecolor_filter(self.ansi_theme)
        self.stylesheet.set_variables(self.get_css_variables())

    def push_screen(self, *args: Any, **kwargs: Any) -> Any:
        """Show a dialog; in ASCII mode it gets the class for that."""
        if self._ascii_only and args and isinstance(args[0], Screen):
            args[0].add_class("ascii")
        return super().push_screen(*args, **kwargs)

    def get_css_variables(self) -> dict[str, str]:
        """See `App.get_css_variables`. Rich names the terminal's own colours without `ansi_`."""
        variables = super().get_css_variables()
        self.theme_variables = {
            name: value.removeprefix("ansi_") for name, value in self.theme_variables.items()
        }
        return variables

    def get_key_display(self, binding: Binding) -> str:
        """See `App.get_key_display`: the same in the footer as in help and palette."""
        return binding.key_display or key_shown(binding.key)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """See `App.get_line_filters`; ASCII mode adds one, and the safe one comes last."""
        filters = (*super().get_line_filters(), *self._own_filters)
        if filters != self._filters_in_use.filters:
            self._filters_in_use = FilterChain(filters)
        return (self._filters_in_use,)

    async def on_event(self, event: events.Event) -> None:
        """Answer each key before the next one, so that keys typed ahead have their effect."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            end_answers(self)
            await self.typed_ahead.add(event)
        else:
            await super().on_event(event)

    @property
    def failure(self) -> Exception | None:
        """The exception that ended the application, if a bug did."""
        return self._exception

    def _handle_exception(self, error: Exception) -> None:
        """End with an exception, unless only the end itself caused it.

        A widget that was still being built when the application was told to end misses parts of
        itself, or the screen.
        """
        if not (self._exit and isinstance(error, NoMatches | NoScreen)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End without Textual's traceback: it would print local variables, secrets included."""
        self._close_messages_no_wait()
