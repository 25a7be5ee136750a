"""Questions on the terminal before something is written."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from natster_tui.errors import RefusedError
from natster_tui.projections.api import Projection

NOT_CONFIRMED = "not confirmed: nothing was written"


def is_agreed(question: str) -> bool:
    """Ask a yes-or-no question; without a terminal the answer is no."""
    try:
        with _asking():
            return click.confirm(question, err=True)
    except RefusedError:
        return False


def confirm_by_name(projections: Sequence[Projection[Any]]) -> None:
    """Ask the user to type the projections' names; raises RefusedError if that fails."""
    names = " ".join(projection.name for projection in projections)
    confirm_by_typing(names, f"type {names} to go on")


def confirm_by_typing(wanted: str, question: str) -> None:
    """Ask the user to type `wanted`; raises RefusedError for any other text."""
    with _asking():
        typed = click.prompt(question, default="", show_default=False, err=True)
    if typed.strip() != wanted:
        raise RefusedError(NOT_CONFIRMED)


def confirm(question: str, otherwise: str = NOT_CONFIRMED) -> None:
    """Ask a question; raises RefusedError with `otherwise` unless the answer is yes."""
    with _asking(otherwise):
        agreed = click.confirm(question, err=True)
    if not agreed:
        raise RefusedError(otherwise)


@contextmanager
def _asking(otherwise: str = NOT_CONFIRMED) -> Iterator[None]:
    """Wrap a prompt, which blocks the event loop; `otherwise` says what was not done.

    The loop's own handler of Ctrl-C would wait for the loop, but here Ctrl-C must end the prompt.
    Without a terminal the input ends at once, and that counts as a no.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except click.Abort as error:
        click.echo(err=True)
        if isinstance(error.__context__, EOFError):
            raise RefusedError(f"{otherwise}; in scripts use --yes") from error
        raise
    finally:
        signal.signal(signal.SIGINT, before)
