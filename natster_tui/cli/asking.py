"""Asking a question on the terminal, before something is written."""

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
    """Ask something after all is done: without a terminal the answer is no."""
    try:
        with asking():
            return click.confirm(question, err=True)
    except RefusedError:
        return False


def confirm_by_name(projections: Sequence[Projection[Any]]) -> None:
    """Have the projections' names typed; raises RefusedError unless they are."""
    wanted = " ".join(projection.name for projection in projections)
    with asking():
        typed = click.prompt(f"type {wanted} to go on", default="", show_default=False, err=True)
    if typed.strip() != wanted:
        raise RefusedError(NOT_CONFIRMED)


def confirm(question: str, otherwise: str = NOT_CONFIRMED) -> None:
    """Have a question answered with yes; raises RefusedError with `otherwise` unless it is."""
    with asking(otherwise):
        agreed = click.confirm(question, err=True)
    if not agreed:
        raise RefusedError(otherwise)


@contextmanager
def asking(otherwise: str = NOT_CONFIRMED) -> Iterator[None]:
    """Around a prompt, which holds up the event loop; `otherwise` says what was not done.

    The loop's own handler of Ctrl-C would wait for the loop; here it must end the prompt. Without
    a terminal the input ends at once, which is no agreement.
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
