"""Arguments and options that name projections."""

from __future__ import annotations

from typing import Any

from natster_tui.errors import UsageError
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.registry import Registry
from natster_tui.text.safe_text import safe_text


def chosen_projection(registry: Registry, name: str) -> Projection[Any]:
    """The projection of a name that was typed. Raises UsageError with the names there are."""
    try:
        return registry.named(name)
    except KeyError:
        raise UsageError(
            f"there is no projection {safe_text(name, 80)}: there are {', '.join(registry.names)}; "
            "--projection FILE.py adds one"
        ) from None


def chosen_projections(registry: Registry, name: str | None) -> tuple[Projection[Any], ...]:
    """The projection of a name, all where none was typed. Raises UsageError."""
    return registry.all if name is None else (chosen_projection(registry, name),)
