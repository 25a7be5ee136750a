"""Markdown for a terminal: bold headings and code in colour. Lines are kept as they are."""

from __future__ import annotations

import re

import click

_FENCED = re.compile(r"^```.*?\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_MARKER = re.compile(r"^<!--.*?-->\n+", re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def for_terminal(markdown: str) -> str:
    """A page, styled. Tables stay as they are written, and blocks of code are indented."""
    shown, end = [], 0
    for fenced in _FENCED.finditer(markdown):
        shown.append(_styled(markdown[end : fenced.start()]))
        shown += [f"    {_colored(line)}\n" for line in fenced[1].splitlines()]
        end = fenced.end()
    return "".join(shown) + _styled(markdown[end:])


def _styled(text: str) -> str:
    text = _LINK.sub(r"\1", _MARKER.sub("", text))
    text = _HEADING.sub(lambda found: click.style(found[1], bold=True), text)
    text = _CODE.sub(lambda found: _colored(found[1]), text)
    return _BOLD.sub(lambda found: click.style(found[1], bold=True), text)


def _colored(code: str) -> str:
    return click.style(code, fg="cyan")
