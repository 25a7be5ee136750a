"""The documentation says what is so: its topics, commands, flags, links, lists and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from natster_tui import docs
from natster_tui.cli.main import program
from natster_tui.engine.permissions import Role
from natster_tui.events.natster import NATSTER
from natster_tui.preferences.model import ContextSettings, Settings
from natster_tui.preferences.rows import table
from tests.benchmarks.__main__ import GROUPS
from tests.docs_tables import (
    FOLDER,
    key_lines,
    kind_lines,
    merged_rows,
    part,
    permission_lines,
    write_part,
)

ROOT = Path(__file__).parent.parent
PAGES = {
    **{each.name: each.text for each in docs.topics()},
    "README": (ROOT / "README.md").read_text("utf-8"),
}
OTHER_PROGRAMS = ("nats ", "openssl ", "pip ", ".venv/bin/python", ".venv/bin/pip", "python3")
DEVELOPERS = {
    "--fault-table",
    "--group-minutes",
    "--rounds",
    "--write-fault-table",
    "--write-table",
}
"""Flags of the tests and benchmarks."""


def commands(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands by their words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*names, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)


COMMANDS = {(): program, **dict(commands(program))}


def flags(command: click.Command) -> set[str]:
    return {"--help", "-h", *(option for each in command.params for option in each.opts)}


def code_of(text: str) -> list[str]:
    """Inline code and the lines of blocks of code, without comments."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    inline = [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", prose)]
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return inline + [part.strip() for line in lines for part in re.split(r"&&|;", line)]


def called(code: str) -> str | None:
    """What is given to natster-tui, if it is called."""
    found = re.match(r"(?:\S*/)?natster-tui( .*)?$", code)
    return (found[1] or "") if found else None


@pytest.mark.parametrize("page", PAGES)
def test_each_command_that_is_mentioned_exists_and_takes_its_flags(page: str) -> None:
    for code in code_of(PAGES[page]):
        rest = called(code)
        if rest is None:
            continue
        words = rest.split(">")[0].split()
        command: tuple[str, ...] = ()
        for word in words:
            if (*command, word) not in COMMANDS:
                break
            command = (*command, word)
        first = next((word for word in words[len(command) :] if not word.startswith("-")), "")
        if command == ("help",):
            assert first in (*docs.NAMES, "TOPIC", "COMMAND", ""), code
        elif not command and words and not words[0].startswith("-"):
            pytest.fail(f"{code}: no such command")
        given = {word.split("=")[0] for word in words if word.startswith("--")}
        assert given <= flags(COMMANDS[command]), code


@pytest.mark.parametrize("page", PAGES)
def test_each_flag_that_is_mentioned_exists(page: str) -> None:
    known = {flag for command in COMMANDS.values() for flag in flags(command)}
    for code in code_of(PAGES[page]):
        if not code.startswith(OTHER_PROGRAMS):
            mentioned = set(re.findall(r"(?<!\S)--[a-z][a-z-]+", code))
            assert mentioned <= known | DEVELOPERS, code


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING"])
def test_each_linked_file_exists(page: str) -> None:
    path = {
        "README": ROOT / "README.md",
        "CONTRIBUTING": ROOT / ".github" / "CONTRIBUTING.md",
    }.get(page, FOLDER / f"{page}.md")
    for link in re.findall(r"\]\(([^)#]+)", path.read_text("utf-8")):
        assert link.startswith("https://") or (path.parent / link).exists(), link


def test_each_file_that_the_walk_of_one_event_names_exists() -> None:
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
    for name in re.findall(r"`([a-z_/]+\.py)`", text):
        assert (ROOT / name).exists() or (ROOT / "natster_tui" / name).exists(), name


def test_each_page_is_a_topic_with_a_title_and_a_line_about_it() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(docs.NAMES)
    for topic in docs.topics():
        assert topic.text.startswith(f"# {topic.title}\n\n{topic.summary}\n\n")
        assert topic.summary.endswith(".")


def test_no_topic_is_called_like_a_command() -> None:
    assert not set(docs.NAMES) & {words[0] for words in COMMANDS if words}


def test_help_lists_all_topics_and_prints_each_as_it_is_written() -> None:
    listed = CliRunner().invoke(program, ["help"]).output
    for topic in docs.topics():
        assert re.search(rf"^ +{topic.name} +{re.escape(topic.summary)}$", listed, re.MULTILINE)
        assert CliRunner().invoke(program, ["help", topic.name]).output == topic.text


def test_help_of_a_command_is_what_the_command_says_itself() -> None:
    for words in COMMANDS:
        if words:
            printed = CliRunner().invoke(program, ["help", *words], prog_name="natster-tui")
            asked = CliRunner().invoke(program, [*words, "--help"], prog_name="natster-tui")
            assert printed.output == asked.output


def test_the_readme_names_every_topic() -> None:
    for name in docs.NAMES:
        assert f"natster_tui/docs/{name}.md" in PAGES["README"]


def test_the_kinds_of_events_are_those_of_the_code() -> None:
    assert part("log", "kinds") == kind_lines(NATSTER)


def test_the_settings_and_keys_are_those_of_the_code() -> None:
    assert part("settings", "settings") == table(Settings)
    assert part("settings", "contexts") == table(ContextSettings)
    assert part("settings", "keys") == key_lines()


@pytest.mark.parametrize("role", Role)
def test_the_permissions_are_those_of_the_code(role: Role) -> None:
    assert part("permissions", role.value) == permission_lines(role)


@pytest.mark.parametrize("group", GROUPS)
def test_the_benchmark_finds_the_part_of_each_group(group: str) -> None:
    assert part("performance", group)[0].startswith("| what | measured")


def test_a_part_is_replaced_between_its_markers(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("before\n<!-- a -->\nold\n<!-- /a -->\nbehind\n")
    write_part("page", "a", ["new \\1", "lines"], tmp_path)
    assert part("page", "a", tmp_path) == ["new \\1", "lines"]
    assert (tmp_path / "page.md").read_text().endswith("<!-- /a -->\nbehind\n")


def test_rows_that_were_not_measured_stay() -> None:
    head = ["| fault | s |", "| --- | --- |"]
    old, new = [*head, "| a | 1 |", "| b | 1 |"], [*head, "| b | 2 |", "| c | 2 |"]
    assert merged_rows(old, new) == [*head, "| a | 1 |", "| b | 2 |", "| c | 2 |"]
