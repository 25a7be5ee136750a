"""Commands that open the dashboard: the program itself, and its demo."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from natster_tui.cli.failures import as_sentence
from natster_tui.cli.options import settings_of, takes_settings, target_of
from natster_tui.cli.program.numbers import FiniteRange
from natster_tui.cli.program.terminal_check import (
    check_streams,
    check_terminal,
    forget_stated_size,
    show_utc,
    wants_ascii,
)
from natster_tui.cli.signals import on_stop
from natster_tui.engine.gc_tuning import collect_in_small_steps
from natster_tui.engine.rule_alarm import watch_rules
from natster_tui.engine.server_source import PROGRAM, EmbeddedSource, LogChoice, NamedServer
from natster_tui.engine.workspace import Workspace, WorkspaceOptions
from natster_tui.events.natster import NATSTER
from natster_tui.preferences.memory import Memory
from natster_tui.preferences.place import Place, place_of
from natster_tui.preferences.settings_file import SettingsFile
from natster_tui.projections.registering.tried import TriedFile
from natster_tui.store.settings.files import expand_home
from natster_tui.store.tasks import settled

if TYPE_CHECKING:
    from natster_tui.tui.app import Dashboard

_CANCEL_AGAIN_S = 1.0
_DEMO = Place(("demo",))
_DEMO_HINT = "Demo: a community of musicians who share catalogs. ? explains the keys."


def open_dashboard(
    *, auto_rebuild: bool, ascii_only: bool, hubs: tuple[str, ...], tried: str | None
) -> None:
    """Open the dashboard on the server that the options name."""
    target = target_of(takes_versions=True)
    settings = settings_of()
    source = target.source
    stream = target.choice.system.stream
    named_by = source.named_by if isinstance(source, NamedServer) else None
    inside = str(source.data_dir) if isinstance(source, EmbeddedSource) else ""
    place = place_of(named_by, stream, inside)
    file = None if tried is None else TriedFile(expand_home(tried))
    if file is not None:
        watch_rules([*target.choice.projections, *file.projections])
    options = WorkspaceOptions(target.choice, auto_rebuild, target.instance, file)
    workspace = Workspace(source, options)
    asyncio.run(_run(workspace, settings, place, ascii_only=ascii_only, hubs=hubs))


@click.command()
@click.option("--seed", default=7, show_default=True, help="Seed of the made-up community.")
@click.option(
    "--rate",
    default=1.0,
    show_default=True,
    type=FiniteRange(min=0, max=100_000),
    help="Events per second of live traffic, on average.",
)
@click.option(
    "--history",
    default=400,
    show_default=True,
    type=click.IntRange(min=0, max=10_000_000),
    help="How many events the history has.",
)
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
@takes_settings
def demo(seed: int, rate: float, history: int, ascii_only: bool, **_given: Any) -> None:
    """Open the dashboard on a throw-away community: history first, live traffic after."""
    settings = settings_of()
    # Imported here: no other command needs the community.
    from natster_tui.demo.traffic import DemoTraffic

    # The server removes the directory when it ends, also after a kill. This removes it if the
    # server never started.
    with TemporaryDirectory(prefix="natster-", ignore_cleanup_errors=True) as directory:
        source = EmbeddedSource(None, name=f"{PROGRAM} demo", temporary_root=Path(directory))
        workspace = Workspace(source, WorkspaceOptions(LogChoice(NATSTER)))
        traffic = DemoTraffic(workspace, seed=seed, rate=rate, history=history)
        hint = f"{_DEMO_HINT}\nCommands join it: natster-tui --data-dir {directory} tail"
        asyncio.run(_run(workspace, settings, _DEMO, traffic.run, ascii_only=ascii_only, hint=hint))


async def _run(
    workspace: Workspace,
    file: SettingsFile,
    place: Place,
    traffic: Callable[[], Coroutine[None, None, None]] | None = None,
    *,
    ascii_only: bool,
    hint: str = "",
    hubs: tuple[str, ...] = (),
) -> None:
    """Run the dashboard over a workspace, and end both together."""
    check_streams()
    check_terminal(os.environ)
    forget_stated_size(os.environ)
    # Imported here: Textual takes a quarter of a second to load.
    from natster_tui.tui.app import Dashboard
    from natster_tui.tui.preferences import check_preferences

    settings = file.settings
    preferences = check_preferences(file, place, [*workspace.options.choice.projections])
    if settings.time == "utc":
        show_utc()
    collect_in_small_steps()
    app = Dashboard(
        workspace,
        ascii_only=ascii_only or settings.ascii or wants_ascii(os.environ, sys.stdout.encoding),
        hint=hint,
        hubs=hubs or settings.hubs,
        preferences=preferences,
        memory=Memory.of_user(place),
    )
    on_stop(app.exit)
    tasks = [asyncio.create_task(workspace.run())]
    if traffic is not None:
        tasks.append(asyncio.create_task(traffic()))
    await _until_left(app, asyncio.create_task(app.run_async(mouse=settings.mouse)), tasks)


async def _until_left(
    app: Dashboard, screen: asyncio.Task[None], tasks: list[asyncio.Task[None]]
) -> None:
    """Wait until the user leaves or a task fails, then end all of them; raises NatsterError."""
    try:
        await asyncio.wait({screen, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        failed = [task for task in tasks if task.done() and task.exception() is not None]
        if failed and not screen.done():
            app.exit()
            await screen
        for task in failed:
            error = task.exception()
            assert error is not None
            raise as_sentence(error) from error
        await screen
        if app.failure is not None:
            raise as_sentence(app.failure) from app.failure
    finally:
        await _end(tasks)
    try:
        await settled(tasks)
    except Exception as error:  # in leaving
        raise as_sentence(error) from error


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: in Python 3.11 a library's wait_for may swallow it once."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _done, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)
