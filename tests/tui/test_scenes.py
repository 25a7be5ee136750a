"""Every picture in `screenshots/` is what the dashboard draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real_server import RealServer
from tests.screenshots import PICTURES
from tests.tui.scenes import SCENES, drawn, staged


@pytest.mark.parametrize("name", SCENES)
async def test_the_picture_is_what_the_dashboard_draws(
    name: str, server: RealServer, tmp_path: Path
) -> None:
    async with staged(name, server.new_account()) as app:
        now = drawn(app)
    kept = (PICTURES / f"{name}.svg").read_text()
    # Not `==` in the assert: a diff of two SVGs takes minutes and tells nobody anything.
    same = now == kept
    if not same:
        (tmp_path / f"{name}.svg").write_text(now)
    assert same, f"{name} looks different: compare {tmp_path}/{name}.svg with the picture"
