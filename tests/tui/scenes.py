"""Named scenes of the dashboard: a real server in a known state, a fixed clock, a fixed size.

The pictures in `screenshots/` are made from them (`python -m tests.screenshots`), and
`tests/tui/test_scenes.py` holds every picture against what the dashboard draws now.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeGuard
from unittest.mock import patch

from textual.pilot import Pilot
from textual.widgets import Input

from natster_tui.demo.community import DemoCommunity
from natster_tui.engine.erasure import erase_account
from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.leases import entries as lease_entries
from natster_tui.engine.log.rate import RateMeter
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.engine.retries import Retries
from natster_tui.engine.server_source import LogChoice, NamedServer
from natster_tui.engine.workspace import Connection, Workspace, WorkspaceOptions
from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, Event
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.parking import ParkReason
from natster_tui.events.times import format_timestamp
from natster_tui.preferences.model import ContextSettings
from natster_tui.preferences.place import PRODUCTION, Place
from natster_tui.projections.api import Projection
from natster_tui.projections.catalog import CatalogProjection
from natster_tui.projections.registering.registry import CATALOGS, PROJECTIONS, Registry
from natster_tui.projections.registering.tried import TriedFile
from natster_tui.projections.versions.naming import placed_beside
from natster_tui.store.connection.link import Link
from natster_tui.store.lease import Holder
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.sealing.choice import SealingChoice
from natster_tui.store.sealing.key_file import KeyFile, default_key_file
from natster_tui.store.settings.connection import EMBEDDED, ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.preferences import Preferences
from natster_tui.tui.sheets import event_sheet
from tests.conftest import until
from tests.jetstream import ask_jetstream
from tests.making_logs import records_in
from tests.projections import activity
from tests.reading_buckets import put_value
from tests.sealed_logs import sealed_log
from tests.tui.keyboard import Keyboard

NOW = 1_795_429_351  # 2026-11-23 10:22:31 UTC
KEY_ID = "k5eed5eed5eed5eed"
"""What stands for every data key's id, or for the beginning of it where it is cut off."""
WIDE = (140, 40)
NARROW = (80, 24)

Drive = Callable[[Pilot[None]], Awaitable[None]]
Prepare = Callable[[ConnectionSettings], Awaitable[None]]


async def community(settings: ConnectionSettings, count: int = 400) -> None:
    """A log with the demo community's history up to NOW."""
    link = await Link.open(settings)
    await tell_history(await EventLog.create(link, NATSTER, LogSettings()), count)
    await link.close()


async def tell_history(log: EventLog, count: int = 400) -> None:
    """Append the demo community's history."""
    messages = _history(count)
    assert await log.append_all(messages, expected_last=None) == count


@functools.cache
def _history(count: int) -> Sequence[Append]:
    return [
        Append(
            event.subject,
            event.payload,
            (
                (MESSAGE_ID, f"demo-{number}"),
                (OCCURRED_AT, format_timestamp((event.time or NOW) * 1_000_000_000)),
            ),
        )
        for number, event in enumerate(DemoCommunity(7).history(count, NOW - 12))
    ]


async def projected(settings: ConnectionSettings) -> None:
    """The community, projected."""
    await community(settings)
    link = await Link.open(settings)
    await project_until_caught_up(await EventLog.open(link, NATSTER), PROJECTIONS, "scene")
    await link.close()


class NextCatalog(CatalogProjection):
    """A next version of the catalogs, which keeps all with whom a catalog was ever shared."""

    version = CATALOGS.version + 1
    uses = CATALOGS.uses - {EventType.UNSHARED}
    fast_form = None  # type: ignore[assignment] # it is folded by its rule alone


NEXT_CATALOGS = NextCatalog()


async def beside_each_other(settings: ConnectionSettings) -> None:
    """The community, projected, and a next version of the catalogs beside the stored one."""
    await projected(settings)
    link = await Link.open(settings)
    log = await EventLog.open(link, NATSTER)
    await project_until_caught_up(log, [placed_beside(NEXT_CATALOGS)], "beside")
    await link.close()


async def tampered(settings: ConnectionSettings) -> None:
    """The community, projected, and then a wrong document was put in by hand."""
    await projected(settings)
    await put_value(
        settings,
        "PROJ_CATALOG",
        "night-walks",
        b'{"catalog_name":"night-walks","owner":"mallory","shared_with":[]}',
    )
    await put_value(settings, "PROJ_CATALOG", "never-shared", b'{"catalog_name":"never-shared"}')
    await put_value(settings, "PROJ_CATALOG", "voice-memos", None)


@asynccontextmanager
async def sealed_community(settings: ConnectionSettings) -> AsyncIterator[EventLog]:
    """The community, sealed and projected."""
    link = await Link.open(settings)
    log = await sealed_log(link, default_key_file())
    await tell_history(log)
    await project_until_caught_up(log, PROJECTIONS, "scene")
    yield log
    await link.close()


async def sealed(settings: ConnectionSettings) -> None:
    """The community, sealed and projected, and its keys at hand."""
    async with sealed_community(settings):
        pass


async def without_its_keys(settings: ConnectionSettings) -> None:
    """The community, sealed, and then the key file went."""
    async with sealed_community(settings):
        default_key_file().unlink()


async def erased(settings: ConnectionSettings) -> None:
    """The community, sealed, and the account that first bound a web context was erased."""
    async with sealed_community(settings) as log:
        bound = next(
            event for event in map(NATSTER.read, await records_in(log)) if is_binding(event)
        )
        await erase_account(log, bound.origin, PROJECTIONS, "scene")


def is_binding(event: Event | ParkReason) -> TypeGuard[Event]:
    return isinstance(event, Event) and event.type is EventType.CONTEXT_BOUND


async def empty(settings: ConnectionSettings) -> None:
    """A log in which nothing has happened."""
    link = await Link.open(settings)
    await EventLog.create(link, NATSTER, LogSettings())
    await link.close()


async def nothing(_settings: ConnectionSettings) -> None:
    """Not even a log."""


async def foreign(settings: ConnectionSettings) -> None:
    """A community whose projections another program keeps."""
    await community(settings)
    link = await Link.open(settings)
    for bucket in ("PROJ_ACCOUNT", "PROJ_CATALOG"):
        await ask_jetstream(
            link,
            f"STREAM.CREATE.KV_{bucket}",
            {
                "name": f"KV_{bucket}",
                "subjects": [f"$KV.{bucket}.>"],
                "max_msgs_per_subject": 1,
                "storage": "file",
                "retention": "limits",
                "discard": "old",
                "allow_direct": True,
                "allow_rollup_hdrs": True,
                "deny_delete": True,
                "num_replicas": 1,
            },
        )
    await link.close()
    await put_value(settings, "PROJ_CATALOG", "natsterhub", b'{"catalog_name":"natsterhub"}')
    await put_value(settings, "PROJ_ACCOUNT", "none", b'{"out_shares":[]}')


@dataclass(frozen=True)
class Scene:
    """A picture: how the server is, how big the terminal is, and what is pressed."""

    prepare: Prepare
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = WIDE
    ascii_only: bool = False
    read_only: bool = False
    sealed: bool = False
    tried: str = ""
    preferences: Preferences = field(default_factory=Preferences)
    """A file whose projections are tried."""
    versions: tuple[Projection[Any], ...] = ()
    """More versions of projections that are loaded."""
    wait_for: str = ""
    environ: dict[str, str] = field(default_factory=dict)


_IN_PRODUCTION = Preferences(
    place=Place(("prod",)),
    context=ContextSettings(production=True, warning=PRODUCTION),
)
SCENES = {
    "main": Scene(projected),
    "main-narrow": Scene(projected, size=NARROW),
    "main-large": Scene(projected, size=(200, 60)),
    "main-light": Scene(projected, ("D",)),
    "main-ascii": Scene(projected, ascii_only=True),
    "production": Scene(projected, ("p",), preferences=_IN_PRODUCTION),
    "main-no-color": Scene(projected, environ={"NO_COLOR": "1"}),
    "account": Scene(projected, ("2", "j", "j", "j")),
    "account-narrow": Scene(projected, ("2", "j", "j", "enter"), size=NARROW),
    "event-masked": Scene(projected, ("g", *"jjjj", "5")),
    "change": Scene(projected, ("k", "c"), wait_for="out_shares["),
    "time-travel": Scene(
        projected, ("colon", *"300", "enter", "t"), wait_for="kitchen-sessions Gentle Hiss"
    ),
    "community": Scene(projected, ("wait:(hub) ", "m"), wait_for="events, at most"),
    "publish": Scene(
        projected,
        ("wait:Known catalogs (39)", "wait:in sync", "g", *"jjjj", "p", "tab"),
        wait_for="subject: natster.events",
    ),
    "parked": Scene(projected, ("exclamation_mark",), wait_for="(4 of 400)"),
    "why": Scene(projected, ("2", *"jjj", "w"), wait_for="events, newest first"),
    "filter": Scene(
        projected,
        ("slash", *"type:shared", "space", *"catalog:over", "enter"),
        wait_for="(15 of 400)",
    ),
    "duplicate-name": Scene(projected, ("3", "slash", *"night", "enter", "j")),
    "projector": Scene(projected, ("4",)),
    "rebuild-preflight": Scene(projected, ("r",), wait_for="enter replay"),
    "rebuild-diff": Scene(tampered, ("r", "wait:enter replay", "enter"), wait_for="w writes"),
    "rebuild-verified": Scene(
        tampered,
        ("r", "wait:enter replay", "enter", "wait:w writes", "w"),
        wait_for="catalog: 39 keys match",
    ),
    "rebuild-purge": Scene(
        projected,
        ("r", "wait:enter replay", "P", "wait:purge: remove", "wait:enter replay", "enter"),
        wait_for="type account catalog",
    ),
    "rebuild-narrow": Scene(
        tampered, ("r", "wait:enter replay", "enter"), size=NARROW, wait_for="w writes"
    ),
    "verify-drift": Scene(tampered, ("v",), wait_for="esc closes"),
    "go-to": Scene(projected, ("colon", *"ni"), wait_for="night-walks"),
    "go-to-narrow": Scene(projected, ("colon", *"ma"), size=NARROW, wait_for="found"),
    "help": Scene(projected, ("question_mark",)),
    "palette": Scene(projected, ("ctrl+p",)),
    "problems": Scene(projected, ("e",)),
    "empty-log": Scene(empty),
    "empty-log-narrow": Scene(empty, size=NARROW),
    "no-log": Scene(nothing),
    "tried": Scene(
        projected, ("6",), tried=activity.__file__, wait_for="Activity documents, tried"
    ),
    "versions": Scene(
        beside_each_other,
        ("4", "wait:beside", "V"),
        versions=(NEXT_CATALOGS,),
        wait_for="p promote",
    ),
    "another-program": Scene(foreign, ("4",)),
    "read-only": Scene(community, read_only=True),
    "no-server": Scene(nothing),
    "keys": Scene(sealed, ("K",), sealed=True, wait_for="Data keys of"),
    "sealed-no-key": Scene(without_its_keys, ("g",), sealed=True),
    "erased": Scene(
        erased,
        ("slash", *"parked", "enter", "wait:(5 of 400)", "g", "5"),
        sealed=True,
        wait_for="parked      erased",
    ),
}


@asynccontextmanager
async def staged(name: str, settings: ConnectionSettings) -> AsyncIterator[Dashboard]:
    """The dashboard in a named scene, settled."""
    async with staged_scene(SCENES[name], settings, reachable=name != "no-server") as app:
        yield app


@asynccontextmanager
async def staged_scene(
    scene: Scene, settings: ConnectionSettings, *, reachable: bool = True
) -> AsyncIterator[Dashboard]:
    """The dashboard in a scene, settled."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    previous = {key: os.environ.get(key) for key in ("NO_COLOR", *scene.environ)}
    os.environ.pop("NO_COLOR", None)
    os.environ.update(scene.environ)
    await scene.prepare(settings)
    shown = replace(settings, origin=EMBEDDED)
    if not reachable:
        shown = ConnectionSettings(servers=("nats://127.0.0.1:1",), origin="flags")
    sealing = SealingChoice(key_file=default_key_file()) if scene.sealed else SealingChoice()
    workspace = Workspace(
        NamedServer(shown),
        WorkspaceOptions(
            LogChoice(
                NATSTER,
                read_only=scene.read_only,
                sealing=sealing,
                projections=Registry(PROJECTIONS, scene.versions),
            ),
            instance="scene",
            tried=TriedFile(Path(scene.tried)) if scene.tried else None,
        ),
    )
    app = Dashboard(
        workspace,
        ascii_only=scene.ascii_only,
        clock=lambda: NOW,
        preferences=scene.preferences,
    )
    running = asyncio.create_task(workspace.run())
    try:
        # What depends on the machine and the moment is held still; nothing else is.
        with (
            patch.object(event_sheet, "stored_time", lambda _record: "2026-11-23 10:22:30"),
            patch.object(KeyFile, "__str__", lambda _file: "~/.config/natster-tui/keys.json"),
            patch.object(Holder, "described", "studio, process 4711"),
            patch.object(lease_entries, "unix_now", lambda: NOW - 3_600),
            patch.object(RateMeter, "per_second", 0.0),
            patch.object(Retries, "count", 3),
            patch.object(Retries, "seconds_left", 1.0),
            patch.object(ReplayProgress, "rate", 25_000.0),
            patch.object(ReplayProgress, "seconds_left", 0.0),
        ):
            async with app.run_test(size=scene.size):
                pilot = Keyboard(app)
                await settle(app)
                await pilot.pause()
                await press(app, pilot, scene.keys)
                if scene.wait_for:
                    await until(lambda: scene.wait_for in text_of(app))
                app.panes.inspector.inspect(app.panes.selection)
                for field in app.screen.query(Input):
                    field.cursor_blink = False
                for pane in app.panes.lists:
                    pane.wake()
                app.refresher.at_once()
                await pilot.pause()
                yield app
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for key, value in previous.items():
            os.environ.pop(key, None) if value is None else os.environ.update({key: value})


async def press(app: Dashboard, pilot: Pilot[None], keys: Iterable[str]) -> None:
    """Press keys; `wait:TEXT` among them waits until the text is on the screen."""
    for key in keys:
        if key.startswith("wait:"):
            await until(lambda: key[5:] in text_of(app))  # noqa: B023 - used at once
        else:
            await pilot.press(key)


async def settle(app: Dashboard) -> None:
    """Until the dashboard shows what there is to show, and nothing moves any more."""
    workspace, panes = app.workspace, app.panes

    def settled() -> bool:
        if workspace.connection in (Connection.UNREACHABLE, Connection.NO_LOG):
            return True
        info = workspace.info
        if workspace.connection is not Connection.CONNECTED or info is None:
            return False
        follower = workspace.follower
        return all(
            (
                projector.status.phase is Phase.STOPPED
                or (
                    projector.status.position >= info.last_seq
                    and projector.status.phase in (Phase.PROJECTING, Phase.WATCHING)
                )
            )
            and (
                "another program" not in projector.status.problem
                or projector.status.drift is not None
            )
            for projector in workspace.projectors.values()
        ) and (info.last_seq == 0 or follower.get(info.last_seq) is not None)

    await until(settled)
    await until(lambda: panes.accounts.row_count == len(app.view.accounts))
    await until(lambda: panes.catalogs.row_count == len(app.view.catalogs))


def page_of(app: Dashboard) -> str:
    """All that the inspector shows, with the lines that one has to scroll to."""
    sheet = app.panes.inspector.sheet
    return "" if sheet is None else sheet.text


def text_of(app: Dashboard) -> str:
    """What stands on the screen, as text."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def drawn(app: Dashboard) -> str:
    """The screen as SVG, without what differs from run to run: port, user, and ids of keys."""
    svg = app.export_screenshot(title="natster-tui", simplify=True)
    svg = re.sub(r"terminal-\d+-", "terminal-", svg)
    svg = re.sub(r"\bk[0-9a-f]{4,16}\b", lambda found: KEY_ID[: len(found[0])], svg)
    svg = re.sub(r"\br[0-9a-f]{16}\b", "r5eed5eed5eed5eed", svg)  # a keyring
    svg = re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:42220", svg)
    return re.sub(r"\bu\d{3}\b", "alic", svg)


async def redrawn(app: Dashboard) -> str:
    """The screen, painted again a moment later."""
    await asyncio.sleep(0.05)  # the shortest wait that lets a refresh through
    app.panes.inspector.inspect(app.panes.selection)
    app.refresher.at_once()
    return drawn(app)
