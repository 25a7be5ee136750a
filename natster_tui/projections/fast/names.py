"""Numbers for the names of accounts and catalogs, so that a share takes two numbers, not two texts.

A name gets its number when it is first met, and keeps it as long as the process runs. Accounts and
catalogs never go away from the states of a projection, so no name stays here without a use. Numbers
never leave the process: what is stored or shown has the names.
"""

from __future__ import annotations

from natster_tui.events.tokens import same_token

names: list[str] = []
"""By number."""
numbers: dict[str, int] = {}
"""By name."""


def number_of(name: str) -> int:
    """The number of a name, a new one if it is new."""
    number = numbers.get(name)
    if number is None:
        number = len(names)
        name = same_token(name)
        names.append(name)
        numbers[name] = number
    return number
