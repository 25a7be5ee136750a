from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.store.connection_settings import ConnectionSettings
from tests.cli.program import Program


@pytest.fixture
def anywhere(tmp_path: Path) -> Program:
    """The program without any option: what it finds by itself is its embedded server."""
    return Program(tmp_path / "home")


@pytest.fixture
def natster(anywhere: Program, settings: ConnectionSettings) -> Program:
    """The program on an empty account of the shared server."""
    return anywhere.on(settings)
