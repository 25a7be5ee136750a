"""Figures as the table shows them and the JSON file keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `target` is what is wanted, None where nothing is.

    `at_least` says which side of the target is good; `details` are what it was made of, for
    the JSON file.
    """

    what: str
    value: float
    unit: str = ""
    target: float | None = None
    at_least: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Whether the target is met, in a word."""
        if self.target is None:
            return ""
        met = self.value >= self.target if self.at_least else self.value <= self.target
        return "met" if met else "MISSED"


OnFigure = Callable[[Figure], None]
"""Told of each figure as soon as it is known."""

HEADING = "| what | measured | wanted | |\n| --- | ---: | ---: | --- |"


def table(figures: Sequence[Figure], about: Mapping[str, Any]) -> list[str]:
    """Figures as a Markdown table, and below it when and on what they were measured."""
    load = about["load"][0]
    measured = (
        f"Measured at {about['at']}, commit {about['commit'] or 'unknown'}, Python "
        f"{about['python']}, {about['cores']} cores, load {load:.1f} before."
    )
    return [*HEADING.splitlines(), *map(row, figures), "", measured]


def row(figure: Figure) -> str:
    """A figure as a row of a Markdown table."""
    wanted = ""
    if figure.target is not None:
        wanted = f"{'≥' if figure.at_least else '≤'} {_number(figure.target)}{figure.unit}"
    return f"| {figure.what} | {_number(figure.value)}{figure.unit} | {wanted} | {figure.verdict} |"


def _number(value: float) -> str:
    if value == int(value) or value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if value >= 10 else f"{value:.2f}"
