"""A mistake in the settings file is told with file, line and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from natster_tui.errors import UsageError
from natster_tui.preferences.model import ContextSettings, Settings
from natster_tui.preferences.place import Place, place_of
from natster_tui.preferences.settings_file import VARIABLE, default_path, read_settings
from natster_tui.store.settings.connection import ConnectionSettings


def read(folder: Path, text: str) -> Settings:
    file = folder / "settings.toml"
    file.write_text(text)
    return read_settings(str(file), {}).settings


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as refused:
        read(folder, text)
    assert refused.value.exit_code == 2
    return refused.value.sentence.removeprefix(f"{folder / 'settings.toml'}")


def test_all_settings_are_read(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        """
theme = "nord"
ascii = true
mouse = false
time = "utc"
refresh_per_second = 5
confirm = ["quit", "rebuild"]
hubs = ["Natster Hub"]
[keymap]
app.help = "f9"
app.quit = ["q", "f10"]
[contexts.prod]
production = true
color = "red"
""",
    )
    assert settings == Settings(
        theme="nord",
        ascii=True,
        mouse=False,
        time="utc",
        refresh_per_second=5.0,
        confirm=["quit", "rebuild"],
        hubs=["Natster Hub"],
        keymap={"app": {"help": "f9", "quit": ["q", "f10"]}},
        contexts={"prod": ContextSettings(production=True, color="red")},
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mouse = 1", ", line 1: mouse takes true or false"),
        ("\n\nmouse = 'yes'", ", line 3: mouse takes true or false"),
        ("refresh_per_second = 100", ", line 1: refresh_per_second takes a number from 1 to 20"),
        ("time = 'mars'", ', line 1: time takes "local" or "utc"'),
        ('hubs = ["a", 2]', ', line 1: hubs takes a list of accounts, such as ["Natster Hub"]'),
        ("\nmoose = true", ", line 2: there is no setting moose, did you mean mouse?"),
        ("[contexts.a]\ncolour = 'red'", ", line 2: there is no setting contexts.a.colour, did"),
        ("[contexts.a]\nproduction = 1", ", line 2: contexts.a.production takes true or false"),
        ("contexts.a = 1", ", line 1: contexts takes a table for each context, such as"),
        ("[keymap]\nx = 'y'", ", line 2: keymap takes lines such as app.help ="),
        ("mouse = tru", " is not valid TOML: Invalid value (at line 1, column 9)"),
        ("mouse", " is not valid TOML: Expected '=' after a key in a key/value pair (at line 1,"),
        ("# " + "x" * 70_000, " is larger than 64 KiB: that is no settings file"),
    ],
)
def test_a_mistake_is_reported_with_file_line_and_what_was_expected(
    tmp_path: Path, text: str, told: str
) -> None:
    assert refusal(tmp_path, text).startswith(told)


def test_the_first_of_several_mistakes_is_reported(tmp_path: Path) -> None:
    assert refusal(tmp_path, "[contexts.a]\nx = 1\n[contexts.b]\ny = 1").startswith(", line 2")
    assert refusal(tmp_path, "mouse = 1\nascii = 1").startswith(", line 1: mouse")
    many = "".join(f"key{number} = 1\n" for number in range(4_000))
    assert refusal(tmp_path, f"\n{many}").startswith(", line 2: there is no setting key0")


def test_secrets_and_escape_sequences_are_not_reported(tmp_path: Path) -> None:
    told = refusal(tmp_path, '"nats://ada:hush@host\\u001b[31m" = 1')
    assert "hush" not in told
    assert "\x1b" not in told


def test_bytes_that_are_not_utf8_are_reported_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b"mouse = true\n\xff\n")
    with pytest.raises(UsageError, match="line 2: this is not UTF-8 text"):
        read_settings(str(tmp_path / "settings.toml"), {})


def test_the_flag_comes_before_the_variable_and_that_before_the_default(tmp_path: Path) -> None:
    assert read_settings(None, {}).settings == Settings()
    usual = default_path()
    assert usual is not None
    usual.parent.mkdir(parents=True)
    usual.write_text("ascii = true")
    named = tmp_path / "named.toml"
    named.write_text("mouse = false")
    assert read_settings(None, {}).path == usual
    assert read_settings(None, {VARIABLE: str(named)}).path == named
    assert read_settings(str(named), {VARIABLE: "/nowhere"}).settings == Settings(mouse=False)
    with pytest.raises(UsageError, match="named by NATSTER_SETTINGS, cannot be read"):
        read_settings(None, {VARIABLE: str(tmp_path / "missing")})


def test_a_place_is_its_context_else_one_of_its_servers_else_embedded() -> None:
    contexts = {
        "prod": ContextSettings(production=True),
        "nats://b:4222": ContextSettings(warning="careful"),
        "embedded": ContextSettings(color="green"),
    }
    servers = ("nats://a:4222", "nats://b:4222")
    in_prod = place_of(ConnectionSettings(servers, context="prod"))
    assert in_prod.name == "prod"
    assert in_prod.settings(contexts).warning == "PRODUCTION"
    assert place_of(ConnectionSettings(servers)).settings(contexts).warning == "careful"
    assert place_of(None).settings(contexts).color == "green"
    assert Place(("demo",)).settings(contexts) == ContextSettings()
