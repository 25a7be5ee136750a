"""Commands over a slow link: what does not depend on each other is asked at the same time."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Ended, Program, busy, together
from tests.slow_link import SlowLink

EVENTS = 300


async def project_a_log(natster: Program) -> None:
    """A sealed log of EVENTS events, projected."""
    lines = [line(number) for number in range(EVENTS)]
    await natster.succeed("import", "--create-log", "-", given="\n".join(lines))
    await natster.succeed("project", "--once")


def line(number: int) -> str:
    """An event of a log as `import` reads it: 40 accounts are initialized, then they share."""
    account = f"A{number % 40}"
    subject, payload = f"{account}.none.none.natster_initialized", '{"account_name":"x"}'
    if number >= 40:
        subject, payload = f"{account}.B{number}.c{number % 30}.catalog_shared", ""
    return json.dumps(
        {
            "seq": number + 1,
            "time": "2026-11-23T03:14:06Z",
            "subject": f"natster.events.{subject}",
            "headers": {},
            "payload": payload,
        }
    )


async def from_far_away(
    natster: Program, settings: ConnectionSettings, round_trip_s: float, *command: str
) -> tuple[Ended, int]:
    """How a command ends at the end of a slow link, and how many round trips it took."""
    here = settings.servers[0]
    async with SlowLink.before(here, round_trip_s) as link:
        options = tuple(link.url if option == here else option for option in natster.options)
        ended = await replace(natster, options=options).run(*command)
        assert (ended.code, ended.said) == (0, "")
        return ended, link.round_trips


async def test_commands_take_few_round_trips(
    natster: Program, settings: ConnectionSettings
) -> None:
    await project_a_log(natster)
    (_, looked), (_, compared) = await together(
        from_far_away(natster, settings, 0.1, "status"),
        from_far_away(natster, settings, 0.1, "verify"),
    )
    _, rebuilt = await from_far_away(natster, settings, 0.1, "rebuild", "--purge", "--yes")
    # Two to connect and to find log and keys; the last one is a goodbye, and not waited for.
    # They were 26, 26 and 87. A quiet server needs 4, 5 and 18; one that is busy makes the reader
    # ask again, which each bound has room for.
    assert looked <= 8
    assert compared <= 12
    assert rebuilt <= 28


@pytest.mark.full
async def test_at_the_other_end_of_the_world_commands_take_seconds(
    natster: Program, settings: ConnectionSettings
) -> None:
    await project_a_log(natster)
    status, _ = await from_far_away(natster, settings, 0.4, "status")
    verify, _ = await from_far_away(natster, settings, 0.4, "verify")
    rebuild, _ = await from_far_away(natster, settings, 0.4, "rebuild", "--purge", "--yes")
    assert status.seconds <= 2 * busy()
    assert verify.seconds <= 4 * busy()
    assert rebuild.seconds <= 12 * busy()
    for command in ("status", "verify"):
        # Three times as far they still work.
        await from_far_away(natster, settings, 1.2, command)
