"""Keys that the user wants: what is refused, and how keys are shown."""

from __future__ import annotations

import pytest

from natster_tui.tui.keys import dialogs, main_screen, moving
from natster_tui.tui.keys.key import Key
from natster_tui.tui.keys.keymap import (
    AS_DECLARED,
    BadKeymapError,
    declared_keys,
    key_shown,
    read_keymap,
)


def test_every_declared_key_can_be_mapped() -> None:
    names = {**vars(main_screen), **vars(dialogs), **vars(moving)}
    tables = [table for table in names.values() if isinstance(table, tuple) and table]
    keys = {key for table in tables for key in table if isinstance(key, Key)}
    assert {key.id for key in keys} == set(declared_keys())


def test_the_declared_keys_pass_as_a_keymap() -> None:
    for key in declared_keys().values():
        if "tab" not in key.keys:
            assert read_keymap({key.id: key.keys.split(",")}).of(key).keys == key.keys


def test_other_keys_replace_all_that_a_command_had() -> None:
    keymap = read_keymap({"app.help": ["f9", "ctrl+n"], "timeline.filter": ["&"]})
    known = declared_keys()
    assert keymap.shown(known["app.help"]) == "f9"
    assert keymap.all_shown(known["app.help"]) == "f9 ^n"
    assert keymap.all_shown(known["timeline.filter"]) == "&"
    assert keymap.all_shown(known["app.go_to"]) == ": ^g"
    assert keymap.for_textual == {"app.help": "f9,ctrl+n", "timeline.filter": "ampersand"}
    assert AS_DECLARED.shown(known["app.help"]) == "?"
    assert (AS_DECLARED.hint("list.last"), AS_DECLARED.hint("app.back")) == ("G", "esc")
    assert keymap.hint("app.help") == "f9"


def test_two_commands_can_change_their_keys() -> None:
    read_keymap({"app.quit": ["x"], "inspector.reveal": ["q"]})


@pytest.mark.parametrize(
    ("command", "key", "told"),
    [
        ("app.halp", "f9", "no command is called app.halp, did you mean app.help?"),
        ("app.help", "w", "w is the key of app.why already"),
        ("app.help", "j", "j is the key of "),
        ("list.open", "w", "w is the key of app.why already"),
        ("why.close", "enter", "Enter is the key of why.open already"),
        ("app.help", "ctl+x", "ctl+x is not a key"),
        ("app.help", "foo", "foo is not a key"),
        ("app.help", "\x1b", "␛ is not a key"),
        ("app.help", "", "app.help needs a key at least"),
        ("app.help", "tab", "tab goes to the next pane"),
        ("prompt.leave", "x", "x would be typed into the field there"),
        ("go_to.travel", "slash", "/ would be typed into the field there"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(command: str, key: str, told: str) -> None:
    with pytest.raises(BadKeymapError) as refused:
        read_keymap({command: [key]})
    assert refused.value.command == command
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize(
    ("key", "shown"),
    [("slash", "/"), ("ctrl+g", "^g"), ("alt+x", "alt+x"), ("up", "↑"), ("f1", "f1"), ("G", "G")],
)
def test_keys_are_shown_as_people_read_them(key: str, shown: str) -> None:
    assert key_shown(key) == shown
