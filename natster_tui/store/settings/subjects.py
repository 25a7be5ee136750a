"""Parts of subjects in settings: prefixes and domains."""

from __future__ import annotations

import re

from natster_tui.errors import UsageError
from natster_tui.store.settings.files import quoted

_TOKEN = re.compile(r"[^\s.*>\x00-\x1f\x7f-\x9f]+")


def parse_prefix(text: str, called: str) -> str:
    """A prefix of subjects: tokens joined by dots, with or without `.` or `.>` at its end.

    `called` is the option that named it. Raises UsageError.
    """
    prefix = text.removesuffix(".>").removesuffix(".")
    if not all(map(_TOKEN.fullmatch, prefix.split("."))):
        raise UsageError(
            f"{called} is {quoted(text)}, which is not a prefix of subjects: write words joined by "
            "dots, without blanks or wildcards"
        )
    return prefix


def parse_domain(text: str, called: str) -> str:
    """The name of a JetStream domain. Raises UsageError."""
    if not _TOKEN.fullmatch(text):
        raise UsageError(
            f"{called} is {quoted(text)}, which is not the name of a JetStream domain: write one "
            "word, without dots, blanks or wildcards"
        )
    return text
