"""How many tests needed a second try, which CI limits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.last_failed import count


def test_the_failures_of_the_last_run_are_counted(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "@pytest.fixture\ndef broken(): raise OSError\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "def test_not_set_up(broken): pass\n"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert count(tmp_path / ".pytest_cache") == 2


def test_a_run_that_ended_early_counts_none(tmp_path: Path) -> None:
    assert count(tmp_path) == 0
