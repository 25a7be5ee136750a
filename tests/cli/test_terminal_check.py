from __future__ import annotations

import pytest

from natster_tui.cli.program.terminal_check import check_terminal, wants_ascii
from natster_tui.errors import UsageError
from tests.cli.program import Program
from tests.cli.terminal import Terminal


@pytest.mark.parametrize(
    "stated",
    [
        {"NATSTER_ASCII": "1", "LANG": "C.UTF-8"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"},
        {"LANG": "C"},
        {"LANG": "C", "LC_CTYPE": "C.UTF-8"},
        {"LC_CTYPE": "de_DE.ISO-8859-1", "LANG": "en_US.UTF-8"},
        {"LANG": "de_DE.ISO-8859-15@euro"},
        {"LANG": "ja_JP.EUC-JP", "LC_CTYPE": "C.UTF-8"},
    ],
)
def test_a_locale_without_utf_8_is_drawn_in_ascii(stated: dict[str, str]) -> None:
    assert wants_ascii(stated, "utf-8")


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"LANG": ""},
        {"LC_CTYPE": "C.UTF-8"},
        {"LC_CTYPE": "UTF-8"},
        {"LC_ALL": "", "LANG": "en_US.UTF-8"},
        {"LC_ALL": "en_US.utf8", "LANG": "C"},
        {"LANG": "de_DE.UTF-8@euro"},
        {"LANG": "en_US"},
    ],
)
def test_any_other_locale_is_drawn_with_all_characters(stated: dict[str, str]) -> None:
    assert not wants_ascii(stated, "utf-8")


@pytest.mark.parametrize("encoding", ["iso8859-1", "ANSI_X3.4-1968", None])
def test_an_output_without_utf_8_is_drawn_in_ascii(encoding: str | None) -> None:
    assert wants_ascii({"LANG": "C.UTF-8"}, encoding)


@pytest.mark.parametrize("kind", ["", "dumb", "unknown"])
def test_a_terminal_that_cannot_place_text_is_refused(kind: str) -> None:
    with pytest.raises(UsageError, match="set TERM"):
        check_terminal({"TERM": kind}, is_posix=True)
    check_terminal({"TERM": kind}, is_posix=False)
    check_terminal({"TERM": "vt100"}, is_posix=True)


async def test_a_dumb_terminal_gets_a_sentence(anywhere: Program) -> None:
    async with Terminal(anywhere.with_variables({"TERM": "dumb"}), "demo") as terminal:
        assert await terminal.wait_for_end() == 2
        assert "TERM=dumb" in terminal.shown
        assert b"\x1b" not in terminal.printed


async def test_the_terminals_own_size_and_characters_count(anywhere: Program) -> None:
    stated = {"COLUMNS": "60", "LINES": "20", "LC_ALL": "C"}
    program = anywhere.with_variables(stated)
    async with Terminal(program, "demo", "--history", "50", "--rate", "0") as terminal:
        await terminal.wait_for("Accounts", "Known catalogs", "Projectors", "in sync")
        assert max(map(len, map(str.rstrip, terminal.shown.split("\n")))) > 60
        assert terminal.shown.isascii()
        terminal.resize(70, 24)
        await terminal.wait_for("\n-2 Accounts", "\n-4 Projectors")  # stacked
