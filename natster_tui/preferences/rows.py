"""The settings in rows: for `natster-tui config`, and for the table in the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from natster_tui.preferences.model import ContextSettings, Settings, default_shown, takes


@dataclass(frozen=True, slots=True)
class Row:
    """A setting that is in force. `where` leads to it in the file."""

    where: tuple[str, ...]
    value: str

    @property
    def name(self) -> str:
        """Its name in one word."""
        return ".".join(self.where)


def rows(settings: Settings) -> Iterator[Row]:
    """All settings with their values, and those of keys and contexts one by one."""
    for name in Settings.model_fields:
        if name not in ("columns", "keymap", "contexts"):
            yield Row((name,), _shown(getattr(settings, name)))
    for projection, columns in settings.columns.items():
        yield Row(("columns", projection), _shown(columns))
    for scope, commands in settings.keymap.items():
        for command, keys in commands.items():
            yield Row(("keymap", scope, command), _shown(keys))
    for context, given in settings.contexts.items():
        for name in ContextSettings.model_fields:
            if name in given.model_fields_set:
                yield Row(("contexts", context, name), _shown(getattr(given, name)))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def table(model: type[BaseModel]) -> list[str]:
    """The settings of a table of the file, as a Markdown table."""
    lines = ["| setting | takes | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        default = default_shown(model, name)
        cells = (f"`{name}`", takes(model, name), f"`{default}`" if default else "")
        lines.append(f"| {' | '.join(cells)} | {field.description} |")
    return lines
