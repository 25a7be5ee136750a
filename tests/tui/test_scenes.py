"""Every picture in `screenshots/` is what the dashboard draws."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.real_server import RealServer
from tests.screenshots import PICTURES
from tests.tui.scenes import SCENES, redrawn, staged

SETTLE_S = 12.0


@pytest.mark.parametrize("name", SCENES)
async def test_the_picture_is_what_the_dashboard_draws(
    name: str, server: RealServer, tmp_path: Path
) -> None:
    kept = (PICTURES / f"{name}.svg").read_text()
    deadline = time.monotonic() + SETTLE_S
    async with staged(name, server.new_account()) as app:
        now = await redrawn(app)
        while now != kept and time.monotonic() < deadline:
            # Projectors look around once a second; what they then know belongs to the picture.
            now = await redrawn(app)
    # Not `==` in the assert: a diff of two SVGs takes minutes and says nothing.
    same = now == kept
    if not same:
        (tmp_path / f"{name}.svg").write_text(now)
    assert same, f"{name} looks different: compare {tmp_path}/{name}.svg with the picture"
