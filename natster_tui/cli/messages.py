"""Sentences on stderr, beside a command's output."""

from __future__ import annotations

import click

from natster_tui.text.masking import screen_text


def say(sentence: str) -> None:
    """Print a sentence with the program's name before it; secrets are masked."""
    click.echo(f"natster-tui: {screen_text(sentence)}", err=True)
