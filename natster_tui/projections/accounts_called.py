"""Which accounts a text may mean: a key, a name, or a part of either."""

from __future__ import annotations

from collections.abc import Mapping

_CUT = "…"
"""Stands in a key as rows and lines shorten it: `ACB4…GDT`."""


def accounts_called(text: str, names: Mapping[str, str]) -> list[str]:
    """The keys that a text may mean, by the best way in which it means any.

    In this order: the whole key, the key shortened, the name, the beginning of the key, a part of
    the name; letter case does not matter. `names` are the accounts' names by key, "" for none.
    """
    if text in names:
        return [text]
    wanted = text.strip().casefold()
    if not wanted:
        return []
    begin, cut, end = wanted.partition(_CUT)
    if cut:
        lower = ((key, key.casefold()) for key in names)
        return [key for key, low in lower if low.startswith(begin) and low.endswith(end)]
    exact = [key for key, name in names.items() if name.casefold() == wanted]
    if exact:
        return exact
    beginning = [key for key in names if key.casefold().startswith(wanted)]
    return beginning or [key for key, name in names.items() if wanted in name.casefold()]
