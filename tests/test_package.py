"""What is built and published: the archives, their metadata, and the version."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

from natster_tui import __version__, docs

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive, built by the build backend itself."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    build = (
        "import sys, hatchling.build as b; b.build_sdist(sys.argv[1]); b.build_wheel(sys.argv[1])"
    )
    subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    return folder


def test_the_source_archive_holds_the_code_and_no_pictures(archives: Path) -> None:
    (archive,) = archives.glob("*.tar.gz")
    assert archive.stat().st_size < 1_500_000
    with tarfile.open(archive) as opened:
        names = {name.split("/", 1)[1] for name in opened.getnames()}
    assert {"README.md", "natster_tui/LICENSE", "tests/conftest.py", ".ci/run"} <= names
    assert not [name for name in names if name.endswith((".png", ".svg"))]


def test_the_wheel_holds_the_package_with_its_licence_and_documentation(archives: Path) -> None:
    (wheel,) = archives.glob("*.whl")
    with ZipFile(wheel) as opened:
        names = opened.namelist()
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        told = email.message_from_bytes(opened.read(metadata))
    inside = [name for name in names if ".dist-info/" not in name]
    assert all(name.startswith("natster_tui/") for name in inside)
    pages = {f"natster_tui/docs/{name}.md" for name in docs.NAMES}
    assert {"natster_tui/LICENSE", "natster_tui/py.typed", *pages} <= set(inside)
    assert told["License-Expression"] == "Apache-2.0"
    assert told["Version"] == __version__
    for field in ("Summary", "Keywords", "Requires-Python", "Author", "Maintainer"):
        assert told[field], field
    assert told["Description-Content-Type"] == "text/markdown"


def test_the_changelog_knows_what_came_before_this_version() -> None:
    headings = re.findall(
        r"^## \[(.+?)\]", (ROOT / ".github" / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    if ".dev" in __version__:
        assert headings[0] == "Unreleased"
        assert __version__.split(".dev")[0] not in headings
    else:
        assert __version__ in headings
