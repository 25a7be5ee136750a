"""The reference service's two projectors, step by step, with the redeliveries of a schedule."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any

from natster_tui.events.event import Record
from natster_tui.projections.account import CONTEXT_FIELDS

CLOCK = 1_900_000_000
"""The service's clock: it has nothing to do with the events' times."""

Documents = dict[str, dict[str, Any]]


def emulated(records: Sequence[Record], seed: int = 0) -> dict[str, Documents]:
    """What it stores, by projection. `seed` decides when what failed is delivered again."""
    return {
        "account": _project(records, _account, random.Random(seed)),
        "catalog": _project(records, _catalog, random.Random(seed)),
    }


def stored(documents: Documents) -> dict[str, bytes]:
    """Documents as it writes them."""
    return {key: json.dumps(each).encode() for key, each in documents.items()}


def _project(records: Sequence[Record], apply: Any, chance: random.Random) -> Documents:
    documents: Documents = {}
    failed: list[Record] = []
    for record in records:
        if record.subject.count(".") != 5 or not record.subject.startswith("natster.events."):
            continue
        if not apply(documents, record):
            failed.append(record)
        chance.shuffle(failed)
        failed = [each for each in failed if chance.random() < 0.3 or not apply(documents, each)]
    while True:
        left = [each for each in failed if not apply(documents, each)]
        if len(left) == len(failed):
            return documents
        failed = left


def _is_key(token: str) -> bool:
    return re.fullmatch(r"[-/_=a-zA-Z0-9]+", token) is not None


def _account(documents: Documents, record: Record) -> bool:
    _, _, origin, target, catalog, kind = record.subject.split(".")
    if kind == "natster_initialized":
        if not _is_key(origin):
            return False
        made = documents.setdefault(origin, {"out_shares": [], "in_shares": []})
        bound = made.pop("bound_context", None)
        made["initialized_at"] = CLOCK + record.seq
        if bound is not None:
            made["bound_context"] = bound
        return True
    if kind == "context_bound":
        binding = _binding(record.payload)
        if origin not in documents or binding is None:
            return False
        documents[origin]["bound_context"] = binding
        return True
    if kind not in ("catalog_shared", "catalog_unshared"):
        return False
    if origin == target:
        return True
    if origin not in documents or target not in documents:
        return False
    given = {"catalog": catalog, "account": target}
    taken = {"catalog": catalog, "account": origin}
    for key, name, entry in ((origin, "out_shares", given), (target, "in_shares", taken)):
        if kind == "catalog_shared":
            documents[key][name].append(entry)
        else:
            documents[key][name] = [each for each in documents[key][name] if each != entry]
    return True


def _binding(payload: bytes) -> dict[str, Any] | None:
    """Payloads that Go and Python read alike; the others are in the tests of `binding_of`."""
    try:
        value = json.loads(payload.decode())
    except ValueError:
        return None
    if value is None:
        value = {}
    if not isinstance(value, dict):
        return None
    fields = value.get("bound_context") or {}
    oauth_id = value.get("oauth_id") or ""
    texts = [fields.get(name) or "" for name in CONTEXT_FIELDS]
    if not all(isinstance(text, str) for text in [oauth_id, *texts]):
        return None
    return {"oauth_id": oauth_id, "bound_context": dict(zip(CONTEXT_FIELDS, texts, strict=True))}


def _catalog(documents: Documents, record: Record) -> bool:
    _, _, origin, target, name, kind = record.subject.split(".")
    if kind not in ("catalog_shared", "catalog_unshared"):
        return True
    if not _is_key(name):
        return False
    made = documents.setdefault(name, {"catalog_name": name, "owner": origin, "shared_with": []})
    if kind == "catalog_shared" and target not in made["shared_with"]:
        made["shared_with"].append(target)
    if kind == "catalog_unshared" and name in made["shared_with"]:
        made["shared_with"].remove(name)
    return True
