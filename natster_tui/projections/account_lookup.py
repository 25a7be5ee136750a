"""Finding the accounts that a typed text may mean: by key, by name, or by a part of either."""

from __future__ import annotations

from collections.abc import Mapping

_CUT = "…"
"""The mark of a shortened key, as rows and lines print it: `ACB4…GDT`."""


def matching_accounts(text: str, names: Mapping[str, str]) -> list[str]:
    """The keys that match a text in the best way that any key does.

    The ways, best first: the whole key, the shortened key, the name, the beginning of the key, a
    part of the name. Letter case does not matter. `names` has the accounts' names by key, "" for
    none.
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
