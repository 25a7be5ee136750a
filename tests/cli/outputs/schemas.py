"""The stored schemas of all outputs, and those that the models give now."""

from __future__ import annotations

import json
from pathlib import Path

from natster_tui.cli.outputs.names import OUTPUTS
from natster_tui.cli.outputs.output import schema_of

FOLDER = Path(__file__).parent / "schemas"


def stored() -> dict[str, str]:
    """The schemas by the names of their files."""
    return {path.name: path.read_text() for path in FOLDER.glob("*.json")}


def current() -> dict[str, str]:
    """The same as the models give them."""
    return {
        f"{each.name}.json": json.dumps(
            schema_of(each.load(), f"natster-tui {each.command}"), indent=2
        )
        + "\n"
        for each in OUTPUTS
    }


def write() -> None:
    """Store what the models give."""
    wanted = current()
    for name in stored().keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text)
