"""`python -m tests.benchmarks`: measure, print a table, write JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.brought_figures import measure_brought
from tests.benchmarks.community import Community
from tests.benchmarks.figures import HEADING, Figure, OnFigure, row, table
from tests.benchmarks.live_figures import measure_live, measure_start
from tests.benchmarks.memory_figures import measure_states
from tests.benchmarks.replay_figures import (
    DOCUMENT,
    EVENT,
    measure_growth,
    measure_rebuild,
    measure_sealing,
)
from tests.benchmarks.screen_figures import measure_burst, measure_pages
from tests.benchmarks.travel_figures import measure_travel
from tests.docs_tables import write_part

GROUPS = (
    "rebuild", "sealing", "growth", "accounts", "states", "travel", "live", "start", "pages",
    "burst", "brought",
)  # fmt: skip


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", help=f"what to measure: {', '.join(GROUPS)}; all")
    parser.add_argument("--events", type=int, default=500_000, help="of the rebuilt log")
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--naive-events", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--growth", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--growth-accounts", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument(
        "--state-events", type=int, default=2_000_000, help="of the log whose states are measured"
    )
    parser.add_argument(
        "--group-minutes", type=float, default=30, help="the most that one group may take"
    )
    parser.add_argument("--travel-events", type=int, default=1_000_000)
    parser.add_argument("--live-seconds", type=float, default=20.0)
    parser.add_argument("--page-events", type=int, default=1_000_000)
    parser.add_argument(
        "--burst-rate", type=int, default=50_000, help="events/s, if the server can"
    )
    parser.add_argument("--sealing", choices=("on", "off"), default="on")
    parser.add_argument(
        "--write-table",
        action="store_true",
        help="write the tables of what was measured into the documentation",
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"))
    options = parser.parse_args(arguments)
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    return options


async def run(options: argparse.Namespace) -> dict[str, list[Figure]]:
    """The figures by group. How long a group took is told on stderr.

    Raises TimeoutError if a group takes longer than it may.
    """
    figures: dict[str, list[Figure]] = {}
    print(HEADING)
    for group in options.groups or GROUPS:
        measured = figures.setdefault(group, [])

        def tell(figure: Figure, measured: list[Figure] = measured) -> None:
            measured.append(figure)
            print(row(figure), flush=True)

        began = time.monotonic()
        async with asyncio.timeout(options.group_minutes * 60):
            await _measure_group(group, options, tell)
        print(f"{group}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return figures


async def _measure_group(group: str, options: argparse.Namespace, tell: OnFigure) -> None:
    rounds, sealed = options.rounds, options.sealing == "on"
    community = Community(options.events, options.accounts)
    match group:
        case "rebuild":
            await measure_rebuild(community, options.naive_events, rounds, tell, sealed=sealed)
        case "sealing":
            await measure_sealing(community, rounds, tell)
        case "growth":
            logs = [Community(events, options.accounts) for events in options.growth]
            await measure_growth(logs, rounds, tell, EVENT, sealed=sealed)
        case "accounts":
            logs = [Community(options.events, each) for each in options.growth_accounts]
            await measure_growth(logs, rounds, tell, DOCUMENT, sealed=sealed)
        case "states":
            await measure_states(Community(options.state_events, options.accounts), tell)
        case "travel":
            await measure_travel(Community(options.travel_events, options.accounts), tell)
        case "live":
            await measure_live(Community(20_000, 1_000), options.live_seconds, tell)
        case "start":
            await measure_start(community, rounds, tell)
        case "pages":
            await measure_pages(Community(options.page_events, options.accounts), tell)
        case "burst":
            await measure_burst(Community(2_000, 200), options.burst_rate, tell)
        case "brought":
            await measure_brought(community, rounds, tell, sealed=sealed)


def about(options: argparse.Namespace) -> dict[str, Any]:
    """On what and with what was measured."""
    return {
        "commit": _commit(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "options": {name: str(value) for name, value in vars(options).items()},
    }


def _commit() -> str:
    """The commit that is measured, empty outside a clone."""
    asked = ["git", "describe", "--always", "--dirty"]
    told = subprocess.run(
        asked, capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    return told.stdout.strip()


def measure(arguments: list[str] | None = None) -> list[Figure]:
    options = parse(arguments)
    context = about(options)
    by_group = asyncio.run(run(options))
    figures = [figure for group in by_group.values() for figure in group]
    if options.write_table:
        for group, measured in by_group.items():
            write_part("performance", group, table(measured, context))
    report = {"about": context, "figures": [asdict(figure) for figure in figures]}
    options.json.write_text(json.dumps(report, indent=1) + "\n")
    return figures


if __name__ == "__main__":
    measure()
