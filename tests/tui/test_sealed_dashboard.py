"""What a running dashboard shows of an account whose keys are destroyed under it."""

from __future__ import annotations

from natster_tui.engine.erasure import erase_account
from natster_tui.store.connection_settings import ConnectionSettings
from natster_tui.store.key_file import default_key_file
from natster_tui.store.link import Link
from tests.conftest import until
from tests.making_logs import A, append, bound, context, initialized
from tests.sealed_logs import sealed_log
from tests.tui.scenes import Scene, staged_scene, text_of


async def one_account(settings: ConnectionSettings) -> None:
    link = await Link.open(settings)
    log = await sealed_log(link, default_key_file())
    await append(log, [initialized(A, "Ada"), bound(A, context("zebra|aaa"))])
    await link.close()


async def test_a_change_that_was_on_screen_goes_with_the_keys(
    settings: ConnectionSettings,
) -> None:
    scene = Scene(one_account, ("colon", "2", "enter", "c"), sealed=True)
    async with staged_scene(scene, settings) as app:
        await until(lambda: "zebra" in text_of(app))
        log = app.workspace.log
        assert log is not None
        await erase_account(log, A, "eraser")
        await until(lambda: "parked" in text_of(app))
        await until(lambda: "zebra" not in text_of(app))
