"""What is rebuilt: whole projections, or one document of a projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from natster_tui.projections.api import Projection


@dataclass(frozen=True, slots=True)
class WholeProjections:
    """Every document of some projections, from one read of the log."""

    projections: tuple[Projection[Any], ...]


@dataclass(frozen=True, slots=True)
class OneKey:
    """One document, folded up to its bucket's checkpoint. The other documents are not changed."""

    projection: Projection[Any]
    key: str

    @property
    def projections(self) -> tuple[Projection[Any], ...]:
        """The projection that the document belongs to."""
        return (self.projection,)


Scope = WholeProjections | OneKey
