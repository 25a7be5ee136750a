"""Arguments and options that name projections."""

from __future__ import annotations

from typing import Any

import click

from natster_tui.cli import completion
from natster_tui.engine.rule_alarm import watch_rules
from natster_tui.errors import UsageError
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.registry import Registry
from natster_tui.projections.versions.naming import placed_beside
from natster_tui.text.safe_text import safe_text

takes_projection = click.argument(
    "name", metavar="[PROJECTION]", required=False, shell_complete=completion.documents
)
"""Gives a command an optional argument for one projection; without it, it is about all."""


def chosen_projection(registry: Registry, name: str) -> Projection[Any]:
    """The projection with this name. Raises UsageError, which lists the names."""
    try:
        return registry.named(name)
    except KeyError:
        raise UsageError(
            f"there is no projection {safe_text(name, 80)}: there are {', '.join(registry.names)}; "
            "--projection FILE.py adds one"
        ) from None


def names_a_version(name: str | None) -> bool:
    """Whether the name is that of a version beside, such as activity.v2."""
    return name is not None and "." in name


def chosen_projections(registry: Registry, name: str | None) -> tuple[Projection[Any], ...]:
    """The projection with this name, or all for None; `activity.v2` is the version beside.

    Raises UsageError.
    """
    return registry.all if name is None else (chosen_version(registry, name),)


def chosen_version(registry: Registry, name: str) -> Projection[Any]:
    """The projection of a name; activity.v2 is that version beside. Raises UsageError."""
    if not names_a_version(name):
        return chosen_projection(registry, name)
    stored = chosen_projection(registry, name.partition(".")[0])
    for rule in registry.versions_of(stored.name):
        placed = placed_beside(rule)
        if placed.name == name:
            watch_rules([*registry, *registry.versions, placed])
            return placed
    raise UsageError(
        f"{safe_text(name, 80)} is not loaded here: name the file of that version with --projection"
    )
