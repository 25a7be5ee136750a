"""Projections from files and from installed packages."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from natster_tui.errors import ProjectionRefusedError
from natster_tui.projections.registering import loading
from natster_tui.projections.registering.loading import load_registry

ACTIVITY = Path(__file__).parents[1] / "activity.py"


def test_a_file_adds_its_projection() -> None:
    registry, problems = load_registry([ACTIVITY])
    assert registry.names == ("account", "catalog", "activity")
    assert not problems


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = 1\n\nx.y\n", r"line 3 does not load: AttributeError: 'int' object"),
        ("class A(:\n", r"line 1 does not load: SyntaxError"),
        ("import natster_tui\n", "defines no projection: derive a class from KeyedProjection"),
        (ACTIVITY.read_text().replace("version = 1", "version = 0"), "mine.py: version must be"),
        ("raise SystemError('\\x1b[31mred')", "does not load: SystemError"),
        ("import sys\nsys.exit()\n", "line 2 does not load: SystemExit"),
        (
            f"{ACTIVITY.read_text()}\n    def __init__(self): raise SystemExit(5)\n",
            "cannot be made",
        ),
        (
            f"{ACTIVITY.read_text()}\n    @property\n    def name(self): raise OSError('no')\n",
            "its declaration cannot be read: OSError: no",
        ),
    ],
)
def test_a_file_that_does_not_load_is_refused_with_its_line(
    tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(ProjectionRefusedError, match=why) as refusal:
        load_registry([file])
    assert "\x1b" not in refusal.value.sentence
    assert not list(tmp_path.glob("__pycache__"))


def test_what_a_file_prints_is_not_taken_for_the_programs_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"{ACTIVITY.read_text()}\n\nprint('loaded')\n")
    load_registry([file])
    assert capsys.readouterr() == ("", "loaded\n")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectionRefusedError, match="there is no file"):
        load_registry([tmp_path / "none.py"])


def test_a_package_that_does_not_load_is_reported_and_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = EntryPoint("broken", "natster_tui.no_such_module", loading.GROUP)
    works = EntryPoint("works", "tests.projections.activity:ActivityProjection", loading.GROUP)
    monkeypatch.setattr(loading, "entry_points", lambda group: (broken, works))
    registry, problems = load_registry([])
    assert registry.names == ("account", "catalog", "activity")
    assert len(problems) == 1
    assert "broken of a package does not load: ModuleNotFoundError" in problems[0]


def _version(tmp_path: Path, number: int, bucket: str = "PROJ_ACTIVITY") -> Path:
    file = tmp_path / f"activity_{number}_{bucket}.py"
    text = ACTIVITY.read_text().replace("version = 1", f"version = {number}")
    file.write_text(text.replace("PROJ_ACTIVITY", bucket))
    return file


def test_a_second_version_is_taken_by_what_compares_versions_and_by_nothing_else(
    tmp_path: Path,
) -> None:
    files = [ACTIVITY, _version(tmp_path, 2)]
    registry, _ = load_registry(files, takes_versions=True)
    assert registry.named("activity").version == 1
    assert [each.version for each in registry.versions_of("activity")] == [1, 2]
    assert [each.version for each in registry.versions_of("account")] == [
        registry.named("account").version
    ]
    with pytest.raises(ProjectionRefusedError, match="version 1 of activity is in use already"):
        load_registry(files)


def test_the_same_version_or_another_bucket_is_not_a_second_version(tmp_path: Path) -> None:
    for other, why in (
        (_version(tmp_path, 1), "version 1 of activity is in use already"),
        (_version(tmp_path, 2, "ELSEWHERE"), "the name activity is taken"),
    ):
        with pytest.raises(ProjectionRefusedError, match=why):
            load_registry([ACTIVITY, other], takes_versions=True)
    second = _version(tmp_path, 2)
    with pytest.raises(ProjectionRefusedError, match="version 2 of activity is in use already"):
        load_registry([ACTIVITY, second, second], takes_versions=True)


def test_two_versions_may_be_in_files_of_the_same_name(tmp_path: Path) -> None:
    second = tmp_path / ACTIVITY.name
    second.write_text(ACTIVITY.read_text().replace("version = 1", "version = 2"))
    registry, _ = load_registry([ACTIVITY, second], takes_versions=True)
    first, other = registry.versions_of("activity")
    assert type(first).__module__ != type(other).__module__
