"""The leases that say who projects and who rebuilds: keys that live three seconds at a time.

Bucket `NATSTER_LEASE`, key `projector` (DESIGN section 4), and `rebuild.<projection>` while a
rebuild of that projection is being written. A lease is taken by a publish that expects no entry
and renewed by one that expects our own revision, both with a time to live, so a holder that dies
is forgotten without anybody's help. They keep processes from working against each other; what
keeps the data right is the checkpoint's revision, not a lease.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from natster_tui.errors import ApiError
from natster_tui.events.event import Record
from natster_tui.store.bucket_config import bucket_config
from natster_tui.store.connection.answers.streams import DoneAnswer, StreamInfoAnswer
from natster_tui.store.connection.api_codes import (
    NO_MESSAGE_FOUND,
    STREAM_NAME_IN_USE,
    STREAM_NOT_FOUND,
    WRONG_LAST_SEQUENCE,
)
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import last_message
from natster_tui.store.connection.wire import is_removal
from natster_tui.store.writing.stream_writer import StreamWriter
from natster_tui.text.safe_text import safe_text

BUCKET = "NATSTER_LEASE"
PROJECTOR = "projector"
TTL_S = 3
RENEW_S = 1.0

_STREAM = f"KV_{BUCKET}"
_ASK_S = 1.0
"""A renewal that takes longer than this is late; three of them fit into the time to live."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who projects, or rebuilds. `since` is unix seconds."""

    host: str
    pid: int
    instance: str
    since: int

    @property
    def described(self) -> str:
        """For a person: the host and the process."""
        return f"{safe_text(self.host, 60)}, process {self.pid}"

    def encode(self) -> bytes:
        """The stored form."""
        return json.dumps(
            {"host": self.host, "pid": self.pid, "instance": self.instance, "since": self.since},
            separators=(",", ":"),
        ).encode()


def decode_holder(stored: bytes) -> Holder:
    """The holder that stored bytes name; one we cannot read is somebody all the same."""
    try:
        value = json.loads(stored)
        return Holder(
            str(value["host"]), int(value["pid"]), str(value["instance"]), int(value["since"])
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return Holder("unknown", 0, "", 0)


def rebuild_key(projection_name: str) -> str:
    """The key of the lease that whoever writes a rebuild of this projection holds."""
    return f"rebuild.{projection_name}"


class Lease:
    """One lease behind a link; `key` says which."""

    def __init__(self, link: Link, key: str = PROJECTOR) -> None:
        self._link = link
        self._writer = StreamWriter(link, _STREAM)
        self._subject = f"$KV.{BUCKET}.{key}"

    async def create_bucket(self, replicas: int) -> None:
        """Make the leases' bucket unless it is there."""
        config = bucket_config(BUCKET, "Natster leases", replicas)
        # Deletes are not denied: the holder takes its own entry back when it leaves.
        config.update(allow_msg_ttl=True, deny_delete=False)
        try:
            await self._link.ask(f"STREAM.CREATE.{_STREAM}", StreamInfoAnswer, config)
        except ApiError as error:
            if error.code != STREAM_NAME_IN_USE:
                raise

    async def put(self, holder: Holder, expected_revision: int) -> int | None:
        """Take (0 expected) or renew the lease; the new revision, None if it is not ours.

        Raises ServerError when there is no answer: the lease may or may not be ours then.
        """
        revision = await self._put(holder, expected_revision)
        if revision is None and expected_revision == 0:
            entry = await self._entry()
            if entry is not None and is_removal(entry):
                # Somebody deleted it by hand: the mark that is left lives on for ever.
                return await self._put(holder, entry.seq)
        return revision

    async def _put(self, holder: Holder, expected_revision: int) -> int | None:
        headers = {
            "Nats-TTL": f"{TTL_S}s",
            "Nats-Expected-Last-Subject-Sequence": str(expected_revision),
        }
        try:
            ack = await self._writer.store(
                self._subject, holder.encode(), headers, what="the lease", timeout=_ASK_S
            )
        except ApiError as error:
            if error.code == WRONG_LAST_SEQUENCE:
                return None
            raise
        return ack.seq

    async def read(self) -> tuple[Holder, int] | None:
        """Who holds the lease, and its revision; None when nobody does."""
        entry = await self._entry()
        if entry is None or is_removal(entry):
            return None
        return decode_holder(entry.payload), entry.seq

    async def _entry(self) -> Record | None:
        try:
            return await last_message(self._link, _STREAM, self._subject, timeout=_ASK_S)
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                return None
            raise

    async def release(self, revision: int) -> None:
        """Take our own entry back. Somebody else's later one has another revision, and stays."""
        try:
            verb = f"STREAM.MSG.DELETE.{_STREAM}"
            await self._link.ask(verb, DoneAnswer, {"seq": revision}, timeout=_ASK_S)
        except ApiError as error:
            if error.code not in (NO_MESSAGE_FOUND, STREAM_NOT_FOUND) and "found" not in (
                error.description
            ):
                raise
