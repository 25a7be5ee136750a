from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.cli.reference_service import deploy
from tests.real_server import RealServer


@pytest.fixture
def anywhere(tmp_path: Path) -> Program:
    """The program without any option: what it finds by itself is its embedded server."""
    return Program(tmp_path / "home")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of `embedded`, which is not there yet."""
    return tmp_path / "data"


@pytest.fixture
def embedded(anywhere: Program, data: Path) -> Program:
    """The program on an embedded server of its own."""
    return anywhere.with_options("--data-dir", str(data))


@pytest.fixture
def natster(anywhere: Program, settings: ConnectionSettings) -> Program:
    """The program on an empty account of the shared server."""
    return anywhere.on(settings)


@pytest.fixture(scope="session", autouse=True)
def deployed_before(server: RealServer) -> list[ConnectionSettings]:
    """Deployments of the original service that were left alone since the tests began.

    Taking one over is refused for 30 s after it last wrote. Made first of all, they are old
    enough when `test_taking_over`, which comes last, needs them.
    """
    accounts = [server.new_account() for _ in range(3)]

    async def deploy_all() -> None:
        await asyncio.gather(*map(deploy, accounts))

    with ThreadPoolExecutor(1) as elsewhere:
        # A loop of its own, whatever loop the test at hand is going to have.
        elsewhere.submit(asyncio.run, deploy_all()).result()
    return accounts
