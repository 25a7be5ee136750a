"""Dicts that report their changes to an observer, so that no copies of states are needed.

A fold changes its states in place. Where the dicts of a state are `ObservedDict`s, each entry that
is set or removed is reported with its previous value. This module knows no projection's rule. It
requires that states are dataclasses whose mutable parts are dicts, and that a fold sets and deletes
their entries one by one.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any, NoReturn, Protocol

ABSENT = object()
"""The value of a missing entry: before it was set, or after it was removed."""


class Notes(Protocol):
    """Observer of dict changes."""

    def note(self, key: Any, before: Any, after: Any, size: int) -> None:
        """The value of an entry changed; the dict has `size` entries now."""


class ObservedDict(dict[Any, Any]):
    """A dict of a state that reports its changes to `notes`."""

    __slots__ = ("notes",)

    def __init__(self, entries: MutableMapping[Any, Any], notes: Notes) -> None:
        # Its items, because packed shares would be searched for each name.
        super().__init__(entries.items())
        self.notes = notes

    def __setitem__(self, key: Any, value: Any) -> None:
        before = self.get(key, ABSENT)
        super().__setitem__(key, value)
        self.notes.note(key, before, value, len(self))

    def __delitem__(self, key: Any) -> None:
        before = self.get(key, ABSENT)
        super().__delitem__(key)
        self.notes.note(key, before, ABSENT, len(self))

    def _unnoted(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError("a fold sets and deletes the entries of a state one by one")

    # Assigned, not defined one by one: all of them raise, whatever the arguments.
    __ior__ = clear = pop = popitem = setdefault = update = _unnoted


class StateShape:
    """The fields of a state that are dicts; the others hold values that never change.

    A state that is no dataclass is such a value as a whole: a frozen document.
    """

    def __init__(self, state: Any) -> None:
        self.names: tuple[str, ...] = ()
        self.make: Callable[..., Any] = _same
        """A state from the values of all fields, in order."""
        self.values_of: Callable[[Any], tuple[Any, ...]] = _alone
        """All fields at once."""
        if is_dataclass(state):
            self.names = tuple(field.name for field in fields(state))
            self.make = type(state)
            names = self.names
            # `attrgetter` gives a tuple for two names or more only.
            self.values_of = (
                attrgetter(*names) if len(names) > 1 else lambda state: (getattr(state, names[0]),)
            )
        is_dict = [isinstance(value, MutableMapping) for value in self.values_of(state)]
        self.dicts = tuple(i for i, yes in enumerate(is_dict) if yes)
        """The indexes of the fields that are dicts."""


def _same(state: Any) -> Any:
    return state


def _alone(state: Any) -> tuple[Any, ...]:
    return (state,)
