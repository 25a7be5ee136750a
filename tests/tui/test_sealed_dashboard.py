"""What a running dashboard shows of an account whose keys are destroyed under it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from natster_tui.engine.erasure import erase_account
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.key_file import default_key_file
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import fresh_log
from tests.making_logs import A, append, bound, context, initialized
from tests.sealed_logs import opened_with, sealed_log
from tests.tui.scenes import Scene, staged_scene, text_of


async def one_account(settings: ConnectionSettings) -> None:
    link = await Link.open(settings)
    log = await sealed_log(link, default_key_file())
    await append(log, [initialized(A, "Ada"), bound(A, context("zebra|aaa"))])
    await link.close()


@asynccontextmanager
async def others_community(settings: ConnectionSettings) -> AsyncIterator[EventLog]:
    """The log as another process has it: the dashboard leaves its own when keys are destroyed."""
    link = await Link.open(settings)
    yield await opened_with(await EventLog.open(link, NATSTER), default_key_file())
    await link.close()


async def test_a_change_that_was_on_screen_goes_with_the_keys(
    settings: ConnectionSettings,
) -> None:
    scene = Scene(one_account, ("colon", "2", "enter", "c"), sealed=True)
    async with staged_scene(scene, settings) as app:
        await until(lambda: "zebra" in text_of(app))
        async with others_community(settings) as log:
            await erase_account(log, A, PROJECTIONS, "eraser")
        await until(lambda: "parked" in text_of(app))
        await until(lambda: "zebra" not in text_of(app))


async def test_whose_keys_there_are_is_a_key_away(settings: ConnectionSettings) -> None:
    async with staged_scene(Scene(one_account, ("K",), sealed=True), settings) as app:
        await until(lambda: "Data keys of 1 account" in text_of(app))
        shown = text_of(app)
        assert "payloads and documents that we write" in shown
        assert "key-encryption key that wraps now" in shown
        assert "Ada" in shown
        async with others_community(settings) as log:
            await erase_account(log, A, PROJECTIONS, "eraser")
    async with staged_scene(Scene(no_change, ("K",), sealed=True), settings) as app:
        await until(lambda: "Erased accounts" in text_of(app))


async def no_change(_settings: ConnectionSettings) -> None:
    """The log as it is."""


async def test_a_log_without_sealing_says_so(settings: ConnectionSettings) -> None:
    async def plain(settings: ConnectionSettings) -> None:
        link = await Link.open(settings)
        await append(await fresh_log(link), [initialized(A, "Ada")])
        await link.close()

    async with staged_scene(Scene(plain, ("K",)), settings) as app:
        await until(lambda: "payloads and documents are stored in clear text" in text_of(app))
