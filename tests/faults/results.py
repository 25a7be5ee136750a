"""What the fault suite measured: one line for each fault, for the documentation's table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults.checker import Findings

SHORTEST_S = 0.05
"""A shorter recovery is written without a figure."""


@dataclass(slots=True)
class FaultResult:
    """All that was seen of one fault, over every time it was injected."""

    fault: str
    injected: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    recovered_s: list[float] = field(default_factory=list)

    @property
    def recovery(self) -> str:
        if not self.recovered_s:
            return "stops and says so"
        if max(self.recovered_s) < SHORTEST_S:
            return "at once"
        return f"{max(self.recovered_s):.1f} s"


RESULTS: dict[str, FaultResult] = {}


def record(
    fault: str,
    *findings: Findings,
    injected: int = 1,
    torn: int = 0,
    recovered_s: float | None = None,
) -> None:
    """Add to a fault's line. Without a recovery time the fault is one that nothing recovers from
    by itself: we stop, and say why."""
    result = RESULTS.setdefault(fault, FaultResult(fault))
    result.injected += injected
    result.torn += torn
    for found in findings:
        result.lost += found.lost
        result.doubled += found.doubled
    if recovered_s is not None:
        result.recovered_s.append(recovered_s)


def seen() -> list[dict[str, Any]]:
    """The results as plain values, for the process that prints them."""
    return [asdict(each) for each in RESULTS.values()]


def add_seen(elsewhere: Iterable[dict[str, Any]]) -> None:
    """Add what another process has seen."""
    for each in elsewhere:
        result = RESULTS.setdefault(each["fault"], FaultResult(each["fault"]))
        result.injected += each["injected"]
        result.lost += each["lost"]
        result.doubled += each["doubled"]
        result.torn += each["torn"]
        result.recovered_s += each["recovered_s"]


def table() -> list[str]:
    """The results as a Markdown table."""
    lines = [
        "| fault | injected | events lost | events doubled | torn reads | time to recover |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    lines += [
        f"| {each.fault} | {each.injected:,} | {each.lost} | {each.doubled} | {each.torn} "
        f"| {each.recovery} |"
        for each in RESULTS.values()
    ]
    return lines
