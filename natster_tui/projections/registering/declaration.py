"""Checking a projection's declaration when it is registered."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.keyed import KeyedProjection, Part

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_BUCKET = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERSIONED = re.compile(r".*_v[0-9]+", re.IGNORECASE)
_OURS = "NATSTER_"
_LONGEST_NOUN = 40
_LARGEST_VERSION = 2**31 - 1


def declaration_problem(projection: Any) -> str:
    """What is wrong with a declaration, in a clause; empty if it can be used."""
    if not isinstance(projection, Projection):
        return f"{type(projection).__name__} is no projection: derive from KeyedProjection"
    for attribute in ("name", "bucket", "version", "key_noun", "uses"):
        if not hasattr(projection, attribute):
            return f"the projection declares no {attribute}"
    return (
        _name_problem(projection)
        or _kinds_problem(projection)
        or (_keyed_problem(projection) if isinstance(projection, KeyedProjection) else "")
    )


def _name_problem(projection: Projection[Any]) -> str:
    name, bucket, version = projection.name, projection.bucket, projection.version
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "name must be a lower-case letter, then up to 31 letters, digits or _"
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket):
        return "bucket must be 1 to 64 letters, digits, _ or -"
    if _VERSIONED.fullmatch(name) or _VERSIONED.fullmatch(bucket):
        return "neither name nor bucket may end in _v and digits: versions are stored beside so"
    if bucket.upper().startswith(_OURS):
        return f"the bucket {bucket} may not begin with {_OURS}"
    if type(version) is not int or not 1 <= version <= _LARGEST_VERSION:
        return "version must be a whole number from 1 on"
    noun = projection.key_noun
    if not isinstance(noun, str) or not noun.strip():
        return "key_noun must say what a key is called, such as account"
    if not noun.isprintable() or len(noun) > _LONGEST_NOUN:
        return f"key_noun must have at most {_LONGEST_NOUN} characters, all of them printable"
    return ""


def _kinds_problem(projection: Projection[Any]) -> str:
    uses = projection.uses
    if not isinstance(uses, frozenset) or not uses:
        return "uses must be a frozenset of event types, with one at least"
    system = projection.system if isinstance(projection, KeyedProjection) else NATSTER
    types = {kind.type for kind in system.kinds}
    if odd := [kind for kind in uses if not isinstance(kind, StrEnum) or kind not in types]:
        known = ", ".join(kind.name for kind in system.kinds)
        return f"uses names {odd[0]!r}, which is no event type; there are {known}"
    return ""


def _keyed_problem(projection: KeyedProjection[Any]) -> str:
    model = getattr(projection, "model", None)
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        return "model must be a pydantic model, the document"
    if not model.model_config.get("frozen"):
        return f"{model.__name__} must be frozen: model_config = ConfigDict(frozen=True)"
    if not model.model_fields:
        return f"{model.__name__} has no fields"
    keys = projection.keys
    if not keys or not isinstance(keys, tuple) or not all(isinstance(part, Part) for part in keys):
        return "keys must be a tuple of Part.ORIGIN and Part.TARGET, or (Part.CATALOG,)"
    if Part.CATALOG in keys and len(keys) > 1:
        return "keys must be accounts or catalogs, not both"
    for method in ("apply", "keys_of", "key_filters"):
        if getattr(type(projection), method) is not getattr(KeyedProjection, method):
            return f"{method} follows from keys and rule: leave it out, or derive from Projection"
    return ""
