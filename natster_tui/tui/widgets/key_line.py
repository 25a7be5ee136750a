"""The footer: one line with the keys that have an effect now.

Textual's own footer has a widget for each key and creates all of them again whenever the focus
moves, which takes a third of a second on a slow machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from natster_tui.tui.keys.key import Key, Need
from natster_tui.tui.keys.main_screen import ALWAYS, ANYWHERE
from natster_tui.tui.theme import Glyphs
from natster_tui.tui.widgets.text_field import Field

_GAP = " "
_PLACES = {"enter": 0, "escape": 2}


@dataclass(frozen=True, slots=True)
class _Shown:
    key: str
    shown: str
    label: str
    enabled: bool

    @property
    def width(self) -> int:
        return len(self.shown) + 1 + len(self.label)


class KeyLine(Widget):
    """Shows as many keys as fit, and a click presses one; the help page has all of them."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "key-line--key",
        "key-line--label",
        "key-line--pointed",
    }
    DEFAULT_CSS = """
    KeyLine {
        dock: bottom;
        height: 1;
        color: $footer-foreground;
        background: $footer-background;
        .key-line--key {
            color: $footer-key-foreground;
            background: $footer-background;
            text-style: bold;
        }
        .key-line--label {
            color: $footer-description-foreground;
            background: $footer-background;
        }
        .key-line--pointed {
            background: $block-hover-background;
        }
    }
    """

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._keys: tuple[_Shown, ...] = ()
        self._pointed: _Shown | None = None

    def on_mount(self) -> None:
        """Follow which keys are active."""
        self.screen.bindings_updated_signal.subscribe(self, self._update)

    def _update(self, screen: Screen[object]) -> None:
        if not self.app.app_focus:
            # The window is in the background: nothing has the focus, until it comes back.
            return
        keys = tuple(self._found(screen))
        if keys != self._keys:
            self._keys, self._pointed = keys, None
            self.refresh()

    def _found(self, screen: Screen[object]) -> Iterator[_Shown]:
        """The keys to show; in a text field only its own, because letters are typed there."""
        # The first binding of an action is the one that is shown.
        found: dict[str, _Shown] = {}
        typing = screen.focused if isinstance(screen.focused, Field) else None
        for node, binding, enabled, _tooltip in screen.active_bindings.values():
            # A field has several purposes: leave out its keys that do nothing now.
            if binding.show and (typing is None or (enabled and _is_around(node, typing))):
                found.setdefault(binding.action, self._shown(binding, enabled))
        # Enter comes first and Escape last, whichever class has their bindings.
        yield from sorted(found.values(), key=lambda each: _PLACES.get(each.key, 1))

    def _shown(self, binding: Binding, enabled: bool) -> _Shown:
        shown = self.app.get_key_display(binding)
        return _Shown(binding.key, shown, binding.description, enabled)

    def render(self) -> Text:
        """The line."""
        key_style = self.get_component_rich_style("key-line--key")
        label_style = self.get_component_rich_style("key-line--label")
        text = Text(no_wrap=True, end="")
        fitting = self._fitting()
        for each in fitting:
            start = len(text)
            # One that does nothing now does not stand out; dimmed it could not be read in daylight.
            text.append(each.shown, key_style if each.enabled else label_style)
            text.append(f" {each.label}", label_style)
            if each == self._pointed:
                text.stylize(self.get_component_rich_style("key-line--pointed"), start)
            text.append(_GAP)
        if len(fitting) < len(self._keys):
            text.append(self._glyphs.ellipsis, label_style)
        return text

    def _fitting(self) -> tuple[_Shown, ...]:
        """The keys that there is room for: none is cut."""
        room = self.size.width
        if sum(each.width + len(_GAP) for each in self._keys) - len(_GAP) <= room:
            return self._keys
        room -= len(self._glyphs.ellipsis)
        ends = accumulate(each.width + len(_GAP) for each in self._keys)
        return self._keys[: sum(1 for end in ends if end <= room)]

    def _at(self, x: int) -> _Shown | None:
        end = 0
        for each in self._fitting():
            if end <= x < end + each.width:
                return each
            end += each.width + len(_GAP)
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Show which key a click would press."""
        self._point(self._at(event.x))

    def on_leave(self) -> None:
        """The mouse is elsewhere."""
        self._point(None)

    def _point(self, key: _Shown | None) -> None:
        if key != self._pointed:
            self._pointed = key
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click presses the key."""
        key = self._at(event.x)
        if key is not None and key.enabled:
            self.app.simulate_key(key.key)


def _is_around(node: DOMNode, field: Field) -> bool:
    """Whether a key is bound by a field, or by a widget of the screen that contains the field."""
    return node in field.ancestors_with_self and not isinstance(node, App | Screen)


class PaneKeyLine(KeyLine):
    """The footer of the main screen: the keys of the focused pane that do something now."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._met: frozenset[Need] = frozenset()

    def show(self, met: frozenset[Need]) -> None:
        """Show only the keys all of whose needs are in `met`."""
        if met != self._met:
            self._met = met
            if self.screen.is_current:
                self._update(self.screen)

    def _found(self, screen: Screen[object]) -> Iterator[_Shown]:
        focused = screen.focused
        if isinstance(focused, Field):
            yield from super()._found(screen)
            return
        active: dict[str | None, tuple[Binding, bool]] = {}
        for _node, binding, enabled, _tooltip in screen.active_bindings.values():
            active.setdefault(binding.id, (binding, enabled))
        own: tuple[Key, ...] = getattr(focused, "KEYS", ())
        for key in dict.fromkeys((*ALWAYS, *own, *ANYWHERE)):
            if key.id in active and key.in_footer and self._met.issuperset(key.needs):
                yield self._shown(*active[key.id])
