from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import WITH_TESTS, Program, together


@pytest.fixture
def homeless(anywhere: Program) -> Program:
    program = anywhere.with_variables(dict([WITH_TESTS]))
    return replace(program, module=("tests.cli.homeless",))


async def test_a_named_server_needs_no_home_directory(
    homeless: Program, settings: ConnectionSettings, tmp_path: Path
) -> None:
    named = homeless.on(settings)
    key_file = tmp_path / "keys" / "keys.json"
    await named.succeed("--create-log", "--key-file", str(key_file), "status")
    shown = await named.succeed("status", "--json")
    assert shown.json["log"]["stream"] == "NATSTER_EVENTS"


async def test_without_a_home_directory_one_sentence_says_what_to_name(
    homeless: Program, settings: ConnectionSettings, tmp_path: Path
) -> None:
    data = ("--data-dir", str(tmp_path / "data"))
    sentences = await together(
        homeless.fail(2, "status"),
        homeless.fail(2, *data, "status"),
        homeless.fail(2, "--key-file", str(tmp_path / "k"), "status"),
        homeless.on(settings).fail(2, "--create-log", "status"),
        homeless.on(settings).fail(2, "--key-file", "~/keys.json", "status"),
        homeless.on(settings).fail(1, "keys", "backup", str(tmp_path / "copy")),
    )
    for sentence, told in zip(
        sentences,
        ("--data-dir", "--key-file", "--data-dir", "--key-file", "set HOME", "--key-file"),
        strict=True,
    ):
        assert "home directory" in sentence or "no key file" in sentence
        assert told in sentence


async def test_the_embedded_server_needs_no_home_directory_when_its_files_are_named(
    homeless: Program, tmp_path: Path
) -> None:
    named = ("--data-dir", str(tmp_path / "data"), "--key-file", str(tmp_path / "k" / "keys.json"))
    await homeless.succeed(*named, "status")
