"""The documentation's topics: their list, and one of them."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Markdown, OptionList

from natster_tui.docs import Topic, topics
from natster_tui.tui.keys.dialogs import TOPIC, TOPICS
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.screens.dialog import Dialog
from natster_tui.tui.view import View
from natster_tui.tui.widgets.dialogs.hints import Hint, at_the_edge
from natster_tui.tui.widgets.key_line import KeyLine

_NAME_COLUMN = 13


class TopicsScreen(Dialog[None]):
    """The list of topics."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(TOPICS)]

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view
        self._topics = topics()

    def compose(self) -> ComposeResult:
        """A line for each."""
        lines = (f"{each.name:<{_NAME_COLUMN}}{each.summary}" for each in self._topics)
        listed = OptionList(*lines, classes="dialog", markup=False)
        listed.border_title = "Topics"
        listed.border_subtitle = at_the_edge(self._view, Hint("topics.close", "closes"))
        yield listed
        yield KeyLine(self._view.glyphs)

    def action_move(self, lines: int) -> None:
        """Choose the next or the previous one."""
        listed = self.query_one(OptionList)
        if lines > 0:
            listed.action_cursor_down()
        else:
            listed.action_cursor_up()

    def action_choose(self) -> None:
        """Open the chosen one."""
        self.query_one(OptionList).action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A topic was chosen, by a key or the mouse."""
        self.app.push_screen(TopicScreen(self._topics[event.option_index], self._view))


class TopicScreen(Dialog[None]):
    """One topic."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(TOPIC)]

    def __init__(self, topic: Topic, view: View) -> None:
        super().__init__()
        self._view = view
        self._topic = topic

    def compose(self) -> ComposeResult:
        """The page in a frame. Its links lead to files of the repository, so none is opened."""
        with VerticalScroll(classes="dialog") as frame:
            frame.border_title = self._topic.name
            frame.border_subtitle = at_the_edge(self._view, Hint("topic.close", "closes"))
            yield Markdown(self._topic.text, open_links=False)
        yield KeyLine(self._view.glyphs)

    def action_scroll(self, lines: int) -> None:
        """Scroll the page."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
