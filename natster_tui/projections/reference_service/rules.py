"""The rules that the reference service's projections share: keys, subjects, and Go's JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from natster_tui.projections.account import CONTEXT_FIELDS
from natster_tui.projections.documents import Document

_KEY = re.compile(r"[-/_=A-Za-z0-9]+")
_TOKENS = 6


def is_key(token: str) -> bool:
    """Whether its client library accepts a token as the key of a bucket."""
    return _KEY.fullmatch(token) is not None


def tokens_of(subject: str) -> tuple[str, str, str, str] | None:
    """Origin, target, catalog and event type; None for subjects that its consumers do not match."""
    tokens = subject.split(".")
    if len(tokens) != _TOKENS or tokens[0] != "natster" or tokens[1] != "events":
        return None
    return tokens[2], tokens[3], tokens[4], tokens[5]


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, names in the same order; 1, 1.0 and true are not."""
    return json.dumps(one) == json.dumps(other)


def in_order(document: Document, names: tuple[str, ...]) -> Document:
    """A document with its names in this order, those that are there."""
    return {name: document[name] for name in names if name in document}


def binding_of(payload: bytes) -> Document | None:
    """The context that it stores for a payload of `context_bound`; None if it fails.

    Absent and null fields are empty texts, names may be in any letter case, and of repeated
    names the last that is not null counts.
    """
    try:
        value = json.loads(
            payload.decode("utf-8", "replace"),
            object_pairs_hook=_Pairs,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):
        return None
    binding: Document = {"oauth_id": "", "bound_context": dict.fromkeys(CONTEXT_FIELDS, "")}
    return binding if _fill(binding, value) else None


class _Pairs(list[tuple[str, Any]]):
    """A JSON object that keeps repeated names."""


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _fill(target: Document, value: Any) -> bool:
    """Fill a struct with a JSON object's known names; False if a type does not fit."""
    if value is None:
        return True
    if not isinstance(value, _Pairs):
        return False
    names = {name.casefold(): name for name in target}
    for given, item in value:
        name = names.get(given.casefold())
        if name is None or item is None:
            continue
        if isinstance(target[name], dict):
            if not _fill(target[name], item):
                return False
        elif isinstance(item, str):
            target[name] = item.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        else:
            return False
    return True
