from __future__ import annotations

import asyncio
import gc
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from natster_tui.engine.gc_tuning import collect_rarely, freeze_loaded
from natster_tui.events.event import Record
from natster_tui.events.log.lines import decode_line
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.docs_tables import merged_rows, part, write_part
from tests.faults.results import add_seen, seen, table
from tests.real_server import RealServer

# How long an example takes says how busy the machine is, and nothing about the program.
hypothesis_settings.register_profile(
    "natster", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("natster")

# A run in the background or under nohup ignores these, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

RECORDINGS = Path(__file__).parent / "recordings"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """One real server for the whole run."""
    real = RealServer(tmp_path_factory.mktemp("nats"))
    real.start()
    yield real
    real.stop()


@pytest.fixture(autouse=True)
def own_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No test sees, or leaves, a key file or a memory of the person who runs it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def settings(server: RealServer) -> ConnectionSettings:
    """An empty account of the shared server."""
    return server.new_account()


@pytest_asyncio.fixture
async def link(settings: ConnectionSettings) -> AsyncIterator[Link]:
    opened = await Link.open(settings)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def log(link: Link) -> EventLog:
    return await EventLog.create(link, NATSTER, LogSettings())


def recording(name: str) -> list[Record]:
    """A recorded log of the original service."""
    path = next(RECORDINGS.glob(f"{name}*.events.jsonl"))
    return [decode_line(line) for line in path.read_text().splitlines()]


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a condition, not for a time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("the condition was not met in time")
        await asyncio.sleep(0.005)  # the shortest wait that lets everything else run


def pytest_configure(config: pytest.Config) -> None:
    # Another order each time, but no seed for each test: names of accounts and consumers, which
    # must differ between tests, are random.
    if config.pluginmanager.hasplugin("randomly"):
        config.option.randomly_reset_seed = False


def pytest_collection_finish() -> None:
    # As in the program, the collector leaves alone what was loaded, and runs rarely: with Python's
    # defaults it took a quarter of the time of the tests that show a dashboard.
    gc.collect()
    freeze_loaded()
    collect_rarely()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fault-table",
        action="store_true",
        help="Print what the fault suite measured.",
    )
    parser.addoption(
        "--write-fault-table",
        action="store_true",
        help="Write it into the documentation; rows that were not measured stay.",
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = seen()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    # One of several test processes has ended; the table is printed by this one.
    add_seen(getattr(node, "workeroutput", {}).get("faults", ()))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    seed = config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"random order: repeat it with --randomly-seed={seed}")
    if config.getoption("--fault-table"):
        terminalreporter.section("faults")
        for line in table():
            terminalreporter.write_line(line)
    if config.getoption("--write-fault-table"):
        write_part("faults", "faults", merged_rows(part("faults", "faults"), table()))
