"""The dashboard's preferences: the settings file, checked against themes, columns and keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES

from natster_tui.preferences.model import FASTEST, ContextSettings
from natster_tui.preferences.place import Place
from natster_tui.preferences.settings_file import SettingsFile
from natster_tui.projections.api import Projection
from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.keymap import AS_DECLARED, BadKeymapError, Keymap, read_keymap
from natster_tui.tui.panes.panes import declared_columns
from natster_tui.tui.theme import DARK, LIGHT


@dataclass(frozen=True, slots=True)
class Preferences:
    """The settings as the dashboard uses them. `theme` is empty if the settings name none."""

    keymap: Keymap = AS_DECLARED
    theme: str = ""
    refresh_per_second: float = FASTEST
    confirm: frozenset[str] = frozenset()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    context: ContextSettings = field(default_factory=ContextSettings)


def check_preferences(
    file: SettingsFile, place: Place, projections: Sequence[Projection[Any]]
) -> Preferences:
    """The preferences at a place. `projections` are those that have a pane.

    Raises UsageError for an unknown theme, colour, column or key.
    """
    settings = file.settings
    if settings.theme and settings.theme not in theme_names():
        close = get_close_matches(settings.theme, [*theme_names()], 1, 0.4) or [DARK.name]
        raise file.mistake(
            ("theme",),
            f"there is no theme {screen_text(settings.theme, 60)}, did you mean {close[0]}? "
            "ctrl+p lists them in the dashboard",
        )
    _check_columns(file, projections)
    for name, context in settings.contexts.items():
        if context.color:
            try:
                Color.parse(context.color)
            except ColorParseError:
                raise file.mistake(
                    ("contexts", name, "color"),
                    f"{screen_text(context.color, 40)} is not a colour: write one such as red or "
                    "#b3203a",
                ) from None
    return Preferences(
        _keymap(file),
        settings.theme,
        settings.refresh_per_second,
        frozenset(settings.confirm),
        settings.columns,
        place,
        place.settings(settings.contexts),
    )


def _check_columns(file: SettingsFile, projections: Sequence[Projection[Any]]) -> None:
    by_name = {projection.name: projection for projection in projections}
    for name, wanted in file.settings.columns.items():
        if name not in by_name:
            raise file.mistake(
                ("columns", name),
                f"there is no projection {screen_text(name, 40)} here: there are "
                f"{', '.join(by_name)}",
            )
        headings = declared_columns(by_name[name]).headings
        for heading in wanted:
            if heading not in headings:
                raise file.mistake(
                    ("columns", name),
                    f"{name} has no column {screen_text(heading, 40)}: it has "
                    f"{', '.join(dict.fromkeys(headings))}",
                )


def theme_names() -> Iterator[str]:
    """All themes: ours, and those that come with Textual."""
    yield from (DARK.name, LIGHT.name, *BUILTIN_THEMES)


def _keymap(file: SettingsFile) -> Keymap:
    wanted = {
        f"{scope}.{name}": keys.split(",") if isinstance(keys, str) else keys
        for scope, commands in file.settings.keymap.items()
        for name, keys in commands.items()
    }
    try:
        return read_keymap(wanted)
    except BadKeymapError as error:
        raise file.mistake(("keymap", *error.command.split(".", 1)), str(error)) from None
