"""What a rebuild is of: whole projections, or one document of one of them."""

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
    """One document, folded exactly to its bucket's checkpoint: the other documents stay."""

    projection: Projection[Any]
    key: str

    @property
    def projections(self) -> tuple[Projection[Any], ...]:
        """The projection that the document is of."""
        return (self.projection,)


Scope = WholeProjections | OneKey
