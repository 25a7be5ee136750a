"""One place of one thing that the server says is altered: the dashboard lives and recovers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natster_tui.store.settings.connection import ConnectionSettings
from tests.altering import altering
from tests.conftest import until
from tests.lying import RECOVERS_S, Liar
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of


async def lie_to_a_dashboard(settings: ConnectionSettings, seeds: range) -> None:
    await projected(settings)
    findings: list[str] = []
    slowest = 0.0
    async with (
        altering(settings) as proxy,
        dashboard(replace(settings, servers=(proxy.url,))) as (app, _keyboard),
    ):
        liar = Liar(proxy, settings, app.workspace, 400)
        await liar.measure()

        def shows_the_head() -> bool:
            screen = " ".join(text_of(app).split())
            return f"head {liar.head}" in screen and "in sync" in screen

        for seed in seeds:
            try:
                slowest = max(slowest, await liar.lie(seed))
                await until(shows_the_head, RECOVERS_S)
            except AssertionError as error:
                findings.append(str(error) or f"{seed} [{proxy.did}] {text_of(app)}")
                await liar.measure()
            assert app._exception is None, f"{seed} [{proxy.did}]"
            assert app.is_running, f"{seed} [{proxy.did}]"
    print(f"{len(seeds)} answers altered, slowest recovery {slowest:.1f} s: {dict(proxy.counts)}")
    assert not findings, f"{len(findings)} findings\n" + "\n".join(findings)


async def test_the_dashboard_recovers_from_altered_answers(settings: ConnectionSettings) -> None:
    await lie_to_a_dashboard(settings, range(5))


@pytest.mark.full
@pytest.mark.timeout(3_600)
async def test_the_dashboard_recovers_from_two_hundred_altered_answers(
    settings: ConnectionSettings,
) -> None:
    await lie_to_a_dashboard(settings, range(200))
