"""The user's own keys for commands, and how keys are shown.

Textual's keymap gives the bindings other keys; footer, help and palette get them here. The usual
keys, and their labels in the footer, are declared in `main_screen`, `moving` and `dialogs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache

from textual.binding import Binding
from textual.keys import KEY_ALIASES, Keys, _character_to_key, format_key

from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.dialogs import DIALOGS, FORMS
from natster_tui.tui.keys.key import Key
from natster_tui.tui.keys.main_screen import SEARCHED, SEARCHED_TEXT, commands
from natster_tui.tui.keys.moving import LIST, PROMPT, PROMPT_FIELD, SCROLLED

_PROMPT = (*PROMPT_FIELD, *PROMPT)
_RESERVED = {
    "tab": "goes to the next pane",
    "shift+tab": "goes to the pane before",
    "ctrl+c": "copies what is selected",
}
_SHOWN = {
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "tab": "Tab",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}
_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_NAMES = frozenset(
    {key.value for key in Keys} | {alias for known in KEY_ALIASES.values() for alias in known}
)


class BadKeymapError(ValueError):
    """The keymap cannot be used; `command` has the wrong keys, and the message says why."""

    def __init__(self, command: str, sentence: str) -> None:
        super().__init__(sentence)
        self.command = command


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys that differ from those of the tables, by the id of the command."""

    keys: Mapping[str, Sequence[str]]

    @property
    def for_textual(self) -> dict[str, str]:
        """The keymap as `App.set_keymap` takes it."""
        return {command: ",".join(keys) for command, keys in self.keys.items()}

    def of(self, key: Key) -> Key:
        """A key of a table, with the keys that the user wants for it."""
        if key.id not in self.keys:
            return key
        return replace(key, keys=",".join(self.keys[key.id]), shown="")

    def shown(self, key: Key) -> str:
        """The first of a command's keys, as people read it."""
        wanted = self.of(key)
        return wanted.shown or key_shown(wanted.keys.split(",")[0])

    def hint(self, command: str) -> str:
        """A command's key, by its id, as hints show it: `G follows`, `esc closes`."""
        shown = self.all_shown(declared_keys()[command]).split(" ")
        return next((each for each in shown if len(each) == 1), shown[0].lower())

    def all_shown(self, key: Key) -> str:
        """All keys of a command, as people read them."""
        wanted = self.of(key)
        first, *others = wanted.keys.split(",")
        return " ".join([wanted.shown or key_shown(first), *map(key_shown, others)])


AS_DECLARED = Keymap({})


def key_shown(key: str) -> str:
    """A key as people read it: `^g` for ctrl+g."""
    modifiers, name = Binding(key, "").parse_key()
    shown = _SHOWN.get(name) or format_key(name)
    if "ctrl" in modifiers:
        modifiers.remove("ctrl")
        shown = f"^{shown}"
    return "+".join([*modifiers, shown])


def read_keymap(wanted: Mapping[str, Sequence[str]]) -> Keymap:
    """The keymap of keys by command ids; raises BadKeymapError."""
    declared = declared_keys()
    keymap = Keymap({})
    for command, keys in wanted.items():
        if command not in declared:
            raise BadKeymapError(command, _unknown_id(command, declared))
        normal = [_normal(command, key) for key in keys if key]
        if not normal:
            raise BadKeymapError(command, f"{command} needs a key at least")
        keymap = Keymap({**keymap.keys, command: normal})
    for scope in _scopes():
        _refuse_clashes(keymap, scope)
    _refuse_letters_in_forms(keymap)
    return keymap


@cache
def declared_keys() -> dict[str, Key]:
    """Every key, by the id of its command."""
    return {key.id: key for scope in _scopes() for key in scope}


def _scopes() -> Iterator[Sequence[Key]]:
    """The keys that work at the same time, those of one pane or dialog in each scope."""
    anywhere = tuple(commands().values())
    yield (*LIST, *SEARCHED, *anywhere)
    yield (*SCROLLED, *SEARCHED_TEXT, *anywhere)
    yield _PROMPT
    yield from DIALOGS


def _unknown_id(command: str, declared: Iterable[str]) -> str:
    close = get_close_matches(command, [*declared], 1, 0.4)
    hint = f", did you mean {close[0]}?" if close else ":"
    shown = screen_text(command, 60)
    return f"no command is called {shown}{hint} natster-tui help settings lists them"


def _normal(command: str, key: str) -> str:
    """A key as Textual calls it: `slash` for `/`."""
    *modifiers, name = key.split("+") if len(key) > 1 else [key]
    name = _character_to_key(name) if len(name) == 1 else name
    is_known = name in _NAMES or len(name) == 1 or format_key(name) != name
    if not (is_known and _MODIFIERS.issuperset(modifiers)) or not name.isprintable():
        raise BadKeymapError(
            command,
            f"{screen_text(key, 30) or 'an empty text'} is not a key: write one such as x, X, f9, "
            "ctrl+x, space or pagedown",
        )
    normal = "+".join([*modifiers, name])
    if normal in _RESERVED:
        raise BadKeymapError(
            command, f"{normal} {_RESERVED[normal]}: choose another key for {command}"
        )
    return normal


def _refuse_clashes(keymap: Keymap, scope: Sequence[Key]) -> None:
    """Refuse a new key that another command has; equal keys in the tables are intended."""
    by_key: dict[str, Key] = {}
    for key in sorted(scope, key=lambda each: each.id in keymap.keys):
        for each in keymap.of(key).keys.split(","):
            other = by_key.setdefault(each, key)
            was_so = each in key.keys.split(",") and each in other.keys.split(",")
            if other.id != key.id and key.id in keymap.keys and not was_so:
                raise BadKeymapError(
                    key.id,
                    f"{key_shown(each)} is the key of {other.id} already: choose another for "
                    f"{key.id}, or give {other.id} another one as well",
                )


def _is_typed(key: str) -> bool:
    """Whether a key puts a character into a field."""
    return "+" not in key and (key == "space" or (key not in _NAMES and len(format_key(key)) == 1))


def _refuse_letters_in_forms(keymap: Keymap) -> None:
    for form in (_PROMPT, *FORMS):
        for key in form:
            for each in keymap.keys.get(key.id, ()):
                if _is_typed(each):
                    raise BadKeymapError(
                        key.id,
                        f"{key_shown(each)} would be typed into the field there: choose a key for "
                        f"{key.id} such as f9 or ctrl+x",
                    )
