"""The program with a lease keeper that fails once it holds its lease, as by a mistake of ours."""

from __future__ import annotations

from unittest.mock import patch

from natster_tui.cli.main import run
from natster_tui.engine.leases.entries import LeaseEntries

take = LeaseEntries.renew_or_take


async def take_then_fail(entries: LeaseEntries) -> None:
    """Take the entries; fail where they would be renewed."""
    if entries.are_ours:
        raise RuntimeError("a mistake")
    await take(entries)


if __name__ == "__main__":
    with patch.object(LeaseEntries, "renew_or_take", take_then_fail):
        run()
