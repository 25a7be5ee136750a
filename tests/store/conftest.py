from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.store.sealing.key_file import KeyFile


@pytest.fixture
def key_file(tmp_path: Path) -> KeyFile:
    """A key file that is not there yet, nor its directory."""
    return KeyFile(tmp_path / "config" / "keys.json")
