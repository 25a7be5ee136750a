"""Events and documents as text, for command output and panes.

All text from outside is sanitised here, and secrets are masked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from natster_tui.events.event import Event, Record
from natster_tui.events.sealed_payload import Seal
from natster_tui.events.times import format_seconds
from natster_tui.events.tokens import NONE
from natster_tui.projections.account import AccountState, login_of
from natster_tui.projections.diff import FieldChange
from natster_tui.projections.documents import is_time
from natster_tui.text.masking import MASK, mask_json, screen_text
from natster_tui.text.safe_text import safe_block, safe_text
from natster_tui.text.strict_json import Json, Number, UnreadableError, json_line, read_json

_KEY_SHOWN_WHOLE = 12
_KEY = re.compile(r"\bA[A-Z2-7]{55}\b")
_SHARE = {"catalog", "account", "imported_at"}

PAYLOAD_SHOWN = 64 * 1024
"""Bytes of a payload beyond which only its size is shown: it is parsed at every refresh."""


@dataclass(frozen=True, slots=True)
class OmittedEntries:
    """Stands at the end of a list for the entries that are not shown."""

    count: int


def short_key(key: str, width: int = _KEY_SHOWN_WHOLE) -> str:
    """A key short enough for a row: its beginning and its end, `ACB4…2NGDT`."""
    text = screen_text(key, 80)
    if len(text) <= width:
        return text
    return f"{text[:4]}…{text[-3:]}"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of accounts on screen: the name they gave themselves, else the short key.

    A name in `homonyms`, which several accounts have, is followed by the short key.
    """

    accounts: Mapping[str, AccountState]
    homonyms: frozenset[str] = frozenset()

    def of(self, key: str) -> str:
        """The name for a row."""
        state = self.accounts.get(key)
        if state is None or not state.account_name:
            return short_key(key)
        name = screen_text(state.account_name, 40)
        if self.homonyms and state.account_name.casefold() in self.homonyms:
            return f"{name} {short_key(key)}"
        return name


def homonyms_of(accounts: Mapping[str, AccountState]) -> frozenset[str]:
    """The names that several accounts gave themselves, casefolded: letter case does not matter."""
    seen: set[str] = set()
    several: set[str] = set()
    for state in accounts.values():
        if state.account_name:
            name = state.account_name.casefold()
            (several if name in seen else seen).add(name)
    return frozenset(several)


class Naming(Protocol):
    """How accounts are named in a row or a line."""

    def of(self, key: str) -> str:
        """The name of the account with this key."""


def key_named(text: str, accounts: Mapping[str, AccountState]) -> str:
    """The key of the only account with this name, in any letter case; else the text itself."""
    if text in accounts:
        return text
    wanted = text.casefold()
    named = [
        key
        for key, state in accounts.items()
        if state.account_name is not None and state.account_name.casefold() == wanted
    ]
    return named[0] if len(named) == 1 else text


def event_phrase(event: Event, names: Naming) -> tuple[str, str, str]:
    """The origin, the target after an arrow (empty if none), and the catalog, for a row."""
    who = names.of(event.origin)
    if (login := login_of(event)) is not None:
        return who, f"→ web {login}".rstrip(), ""
    direction = event.kind.direction
    if direction is None:
        return who, "", "" if event.catalog == NONE else screen_text(event.catalog, 40)
    return who, f"{direction.value} {names.of(event.target)}", screen_text(event.catalog, 40)


def seal_line(seal: Seal) -> str:
    """How a payload is sealed, for a person."""
    return f"with the key {safe_text(seal.key_id, 80)}" if seal.key_id else "in a form not known"


def payload_lines(
    record: Record, *, reveal: bool = False, otherwise: str = "y copies them"
) -> list[str]:
    """The payload for a person: pretty JSON with secrets masked, or what it is instead."""
    if record.seal is not None and record.seal.unopened is not None:
        return [f"({record.seal.closed}: {safe_text(record.seal.reason, 400)})"]
    if not record.payload:
        return ["(empty)"]
    if len(record.payload) > PAYLOAD_SHOWN:
        return [f"({len(record.payload):,} bytes, too many to show here; {otherwise})"]
    try:
        value = read_json(record.payload)
    except UnreadableError as error:
        what = f"{safe_text(str(error), 200)}; {len(record.payload):,} bytes"
        if not reveal:
            # A truncated context is not JSON, and secrets in it cannot be recognised.
            return [f"({what}, hidden because secrets in it cannot be recognised)"]
        return [f"({what}, as they are)", *safe_block(record.payload, 40, 4_000).split("\n")]
    return pretty_json(value if reveal else mask_json(value)).split("\n")


def masked_payload(record: Record) -> bytes:
    """The payload with its secrets masked; one that cannot be read is masked whole."""
    if record.seal is not None and record.seal.unopened is not None:
        return MASK.encode()
    if not record.payload:
        return b""
    try:
        value = read_json(record.payload)
    except UnreadableError:
        return MASK.encode()
    return compact_json(mask_json(value)).encode()


def compact_json(value: Json) -> str:
    """JSON on one line; numbers as they were written, text unchanged."""
    match value:
        case Number():
            return str(value)
        case dict():
            items = (f"{json_line(name)}:{compact_json(item)}" for name, item in value.items())
            return "{" + ",".join(items) + "}"
        case list():
            return "[" + ",".join(map(compact_json, value)) + "]"
        case _:
            return json_line(value)


def pretty_json(value: Json | OmittedEntries, indent: int = 0) -> str:
    """JSON on several lines; numbers as they were written, text made safe."""
    pad, inner = "  " * indent, "  " * (indent + 1)
    match value:
        case OmittedEntries():
            return f"… {value.count:,} more entries; y copies all of them"
        case Number():
            return safe_text(str(value), 200)
        case str():
            return json.dumps(safe_text(value), ensure_ascii=False)
        case dict() if value:
            lines = [
                f"{inner}{json.dumps(safe_text(name, 200), ensure_ascii=False)}: "
                f"{pretty_json(item, indent + 1)}"
                for name, item in value.items()
            ]
            return "{\n" + ",\n".join(lines) + f"\n{pad}}}"
        case list() if value:
            lines = [f"{inner}{pretty_json(item, indent + 1)}" for item in value]
            return "[\n" + ",\n".join(lines) + f"\n{pad}]"
        case _:
            return json.dumps(value)


def change_line(change: FieldChange, *, reveal: bool = False, names: Naming | None = None) -> str:
    """One field's change as a line: `+ out_shares[kevbuzz AA33…] {…}`.

    With `names`, accounts are named instead of given by key.
    """
    line = _change_line(change, reveal=reveal)
    return line if names is None else _KEY.sub(lambda found: names.of(found[0]), line)


def _with_times(value: Any, name: str = "") -> Any:
    """A value whose unix seconds, in it or in its fields, are written as times."""
    match value:
        case dict():
            return {key: _with_times(item, key) for key, item in value.items()}
        case list():
            return [_with_times(item) for item in value]
        case _:
            return format_seconds(value) if is_time(name, value) else value


def _change_line(change: FieldChange, *, reveal: bool) -> str:
    path = screen_text(change.path, 200, reveal=reveal)
    name = change.path.rsplit(".", 1)[-1]

    def shown(value: Any) -> str:
        if value is None:
            return "none"
        if change.secret and not reveal:
            return MASK
        if is_time(name, value):
            return format_seconds(value)
        if isinstance(value, dict) and {"catalog", "account"} <= value.keys() <= _SHARE:
            # The path says which catalog and account.
            at = value.get("imported_at")
            return f"imported {format_seconds(at)}" if isinstance(at, int) else ""
        readable = _with_times(value if reveal else mask_json(value))
        return safe_text(json.dumps(readable, ensure_ascii=False), 300)

    if change.before is None or change.after is None:
        sign, value = ("+", change.after) if change.before is None else ("-", change.before)
        # For an entry that is a name, the path says everything.
        in_path = isinstance(value, str) and change.path.endswith(f"[{value}]")
        return f"{sign} {path}" if in_path else f"{sign} {path} {shown(value)}".rstrip()
    return f"~ {path} {shown(change.before)} → {shown(change.after)}"
