"""Positions in the projectors pane are whole numbers, however narrow it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natster_tui.store.lease import Holder
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.sheets.lease_sentences import lease_line
from natster_tui.tui.view import LastVerify
from tests.conftest import until
from tests.tui.running import dashboard
from tests.tui.scenes import projected, text_of

HEAD = 12_345_678


@pytest.mark.parametrize("columns", [80, 100, 120, 200])
async def test_a_position_is_never_cut(settings: ConnectionSettings, columns: int) -> None:
    await projected(settings)
    async with dashboard(settings, size=(columns, 40)) as (app, _pilot):
        projector, pane = app.workspace.projectors["account"], app.panes.projectors
        for lag, shown in ((0, ""), (8, "lag 8"), (1_234_567, "lag 1,234,567")):
            app.workspace.follower.head = HEAD
            projector.status.position = projector.status.stored = HEAD - lag
            pane.update_rows()
            line = pane.render_line(0).text
            assert f" {HEAD - lag:,}" in line
            assert "…" not in line
            if columns == 200:
                assert f"{HEAD - lag:,}/{HEAD:,}" in line
                assert shown in line


@pytest.mark.parametrize(
    ("columns", "figures"),
    [
        (200, "verified · parked 15 · lease held by this dashboard (vm, process 4711)"),
        (140, "verified at 11,234,567, 11-23 10:22 · parked 15"),
        (120, "verified at 11,234,567, 11-23 10:22"),
    ],
)
async def test_parts_that_do_not_fit_are_left_out_and_not_cut(
    settings: ConnectionSettings, columns: int, figures: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Holder, "described", "vm, process 4711")
    await projected(settings)
    async with dashboard(settings, size=(columns, 40)) as (app, _pilot):
        projector, pane = app.workspace.projectors["account"], app.panes.projectors
        projector.status.parked = replace(projector.status.parked, count=15)
        await until(lambda: app.workspace.leases["account"].held)
        app.view.verdicts["account"] = LastVerify(True, 11_234_567, "11-23 10:22")
        pane._looked_up.clear()
        assert pane.render_line(1).text.strip(" │") == figures


async def test_a_lease_whose_renewal_is_late_is_not_called_free(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(80, 24)) as (app, pilot):
        await pilot.press("4")
        lease = app.workspace.leases["account"]
        await until(lambda: lease.held)
        # By our clock it ran out, as under load; the renewal is on its way.
        lease._entries.valid_until = 0.0
        line = lease_line(lease, read_only=False)
        assert line == f"held by this dashboard ({lease.me.described}), renewal late"
        # After requests without an answer it is not known which process holds it.
        lease._entries.forget()
        line = lease_line(lease, read_only=False)
        assert line == "not known: waiting for the server's answer"


async def test_where_there_is_room_it_says_which_process_projects(
    settings: ConnectionSettings,
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(80, 24)) as (app, pilot):
        await pilot.press("4")
        holder = app.workspace.leases["account"].me.described
        said = f"parked 4 · 40 keys · lease held by this dashboard ({holder})"
        await until(lambda: said in text_of(app))


@pytest.mark.parametrize(
    ("holder", "before"),
    [("studio, process 4711", "verified · parked 4"), ("a-longer-name, process 65536", "parked 4")],
)
async def test_after_a_verify_a_small_terminal_still_says_which_process_projects(
    settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch, holder: str, before: str
) -> None:
    monkeypatch.setattr(Holder, "described", holder)
    await projected(settings)
    async with dashboard(settings, size=(80, 24)) as (app, pilot):
        await pilot.press("v")
        await until(lambda: text_of(app).count("match") == 2)
        assert "Replaying the log" not in text_of(app), "it has ended"
        await pilot.press("escape", "4")
        line = f"  {before} · lease held by this dashboard ({holder})"
        await until(lambda: line in text_of(app))
        await pilot.press("5")
        await until(lambda: "verified at 400, " in text_of(app))
        assert "last verify" in text_of(app)
