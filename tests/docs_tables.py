"""Parts of the documentation that a program writes, between two markers on a page.

A part begins with a line `<!-- NAME -->` and ends with `<!-- /NAME -->`.
`python -m tests.docs_tables` writes the tables of events, settings and keys and the lists of
permissions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from natster_tui import docs
from natster_tui.engine.permissions import Role, configuration
from natster_tui.events.event_kind import PayloadUse
from natster_tui.events.natster import NATSTER
from natster_tui.events.system import EventSystem
from natster_tui.events.tokens import NONE
from natster_tui.preferences.model import ContextSettings, Settings
from natster_tui.preferences.rows import table
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.tui.keys.keymap import declared_keys

FOLDER = Path(docs.__file__).parent


def part(page: str, name: str, folder: Path = FOLDER) -> list[str]:
    """The lines between the markers."""
    found = _marked(name).search((folder / f"{page}.md").read_text("utf-8"))
    assert found is not None, f"{page}.md has no part {name}"
    return found[2].splitlines()


def write_part(page: str, name: str, lines: Sequence[str], folder: Path = FOLDER) -> None:
    """Put other lines between the markers."""
    path = folder / f"{page}.md"
    text = "".join(f"{line}\n" for line in lines)
    written, count = _marked(name).subn(
        lambda found: found[1] + text + found[3], path.read_text("utf-8")
    )
    assert count == 1, f"{page}.md has {count} parts {name}"
    path.write_text(written, "utf-8")


def merged_rows(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """A table with the rows of another put in, each in the place of the row of the same name."""
    rows = {_name_of(row): row for row in [*old[2:], *new[2:]]}
    for row in new[2:]:
        rows[_name_of(row)] = row
    return [*new[:2], *rows.values()]


def _name_of(row: str) -> str:
    return row.split("|")[1].strip()


def _marked(name: str) -> re.Pattern[str]:
    begin, end = re.escape(f"<!-- {name} -->\n"), re.escape(f"<!-- /{name} -->\n")
    return re.compile(f"({begin})(.*?)({end})", re.DOTALL)


def permission_lines(role: Role) -> list[str]:
    """A role's permissions for the built-in projections."""
    return configuration(role, NATSTER.stream, PROJECTIONS)


def kind_lines(system: EventSystem) -> list[str]:
    """The kinds of events as a table."""
    rows = ["| event | short | origin | target | catalog | payload |", "| --- " * 6 + "|"]
    for kind in system.kinds:
        target = kind.target or f"`{NONE}`"
        catalog = "name" if kind.has_catalog else f"`{NONE}`"
        fields = "" if kind.payload_model is None else ", ".join(kind.payload_model().model_fields)
        needed = " (required)" if kind.payload is PayloadUse.REQUIRED else ""
        cells = (f"`{kind.name}`", kind.word, kind.origin, target, catalog, f"{fields}{needed}")
        rows.append("| " + " | ".join(cell or "empty" for cell in cells) + " |")
    return rows


def _last_word(command: str) -> str:
    return command.split(".")[-1].replace("_", " ")


def key_lines() -> list[str]:
    """All keys as a table, by the id of the command."""
    lines = ["| id | keys | what it does |", "| --- | --- | --- |"]
    for key in declared_keys().values():
        keys = ", ".join(f"`{each}`" for each in key.keys.split(","))
        lines.append(f"| `{key.id}` | {keys} | {key.help or key.label or _last_word(key.id)} |")
    return lines


if __name__ == "__main__":
    write_part("log", "kinds", kind_lines(NATSTER))
    write_part("settings", "settings", table(Settings))
    write_part("settings", "contexts", table(ContextSettings))
    write_part("settings", "keys", key_lines())
    for each in Role:
        write_part("permissions", each.value, permission_lines(each))
