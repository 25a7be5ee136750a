"""The benchmarks run: on a few hundred events, so that they do not rot. Says nothing of speed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import measure
from tests.benchmarks.community import Community


def _measure_a_small_log(report: Path, *groups: str) -> None:
    figures = measure(
        [*groups, "--events=300", "--growth", "300", "600", "--state-events=300",
         "--travel-events=300", "--accounts=30", "--naive-events=20", "--rounds=1",
         f"--json={report}"]
    )  # fmt: skip
    assert all(figure.value > 0 for figure in figures if figure.unit in ("/s", "×"))
    written = json.loads(report.read_text())
    assert [figure["what"] for figure in written["figures"]] == [each.what for each in figures]


def test_the_benchmark_measures_a_small_log(tmp_path: Path) -> None:
    _measure_a_small_log(tmp_path / "report.json", "rebuild", "growth", "states", "travel")


@pytest.mark.full
def test_the_benchmark_measures_a_brought_projection(tmp_path: Path) -> None:
    _measure_a_small_log(tmp_path / "report.json", "brought")


def test_the_same_community_has_the_same_story() -> None:
    one, other = (list(Community(2_000, 50).story()) for _ in range(2))
    assert len(one) == 2_000
    assert one == other
