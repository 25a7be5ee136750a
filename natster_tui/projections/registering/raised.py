"""The text for an exception in a projection's file or rule."""

from __future__ import annotations

from pydantic import ValidationError

from natster_tui.text.safe_text import safe_text

_LENGTH = 300


def described_error(error: BaseException) -> str:
    """The error's type and message, safe to show; of a validation error without the input.

    The input may be a secret of an event's payload.
    """
    message = _message(error)
    name = type(error).__name__
    return f"{name}: {safe_text(message, _LENGTH)}" if message else name


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong with a value, and in which field."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]


def _message(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        return first_problem(error)
    if isinstance(error, SyntaxError):
        return error.msg
    try:
        return str(error)
    except Exception:  # the error's own method fails, and its type is all there is to say
        return ""
