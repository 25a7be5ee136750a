"""Positions in the projectors pane are whole numbers, however narrow it is."""

from __future__ import annotations

import pytest

from natster_tui.store.connection_settings import ConnectionSettings
from tests.tui.running import dashboard
from tests.tui.scenes import projected


@pytest.mark.parametrize("columns", [80, 100, 120, 200])
@pytest.mark.parametrize(("lag", "said"), [(0, ""), (8, "lag 8"), (1_234_567, "lag 1,234,567")])
async def test_a_position_is_never_cut(
    settings: ConnectionSettings, columns: int, lag: int, said: str
) -> None:
    await projected(settings)
    async with dashboard(settings, size=(columns, 40)) as (app, _pilot):
        head = app.workspace.follower.head = 12_345_678
        projector = app.workspace.projectors["account"]
        projector.status.position = projector.status.stored = head - lag
        pane = app.panes.projectors
        pane._looked_up.clear()
        line = pane.render_line(0).text
        assert f" {head - lag:,}" in line
        assert "…" not in line
        # Narrow, the line at the top is what says how many are missing.
        assert said in line or columns < 200
        assert f"{head - lag:,}/{head:,}" in line or columns < 200
