"""The leases that say which process projects, and which one rebuilds.

Bucket `NATSTER_LEASE`:

| key | held by the process that |
| --- | --- |
| `projector.<projection>` | projects this projection |
| `projector` | holds `projector.account`, so that release 0.1, which knows this key only, waits |
| `rebuild.<projection>` | writes a rebuild of this projection |

An entry is taken by a publish that expects none and renewed each second by one that expects its
own revision, both with a time to live: the entry of a process that died disappears by itself.
Leases keep processes from working against each other. What keeps the data right is the
checkpoint's revision, not a lease.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from natster_tui.errors import ApiError
from natster_tui.projections.registry import ACCOUNTS, CATALOGS
from natster_tui.store.connection.answers.streams import DoneAnswer
from natster_tui.store.connection.api_codes import STREAM_NOT_FOUND, WRONG_LAST_SEQUENCE
from natster_tui.store.connection.link import REQUEST_TIMEOUT, Link
from natster_tui.store.connection.streams import last_message
from natster_tui.store.connection.wire import is_removal
from natster_tui.store.provisioning.maker import LEASES
from natster_tui.store.provisioning.refusals import cannot_write
from natster_tui.store.provisioning.updating import change_settings
from natster_tui.store.writing.stream_writer import StreamWriter, confirm_early
from natster_tui.text.safe_text import safe_text

BUCKET = LEASES.name
FORMER_KEY = "projector"
"""The only projector's key that release 0.1 knows; it stands for both built-in projections."""
TTL_S = 3

_STREAM = LEASES.stream
_ANSWER_S = 1.0
"""How long an answer may take: three of them fit into the time to live."""
_LARGEST_PID = 2**32
_LARGEST_SECONDS = 2**40


class Holder(BaseModel):
    """Who holds an entry. `since` is unix seconds.

    `version` is the projection's version that the holder projects; None in an entry of release
    0.1. An entry that cannot be read is held all the same: see `UNREADABLE`.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    host: str
    pid: Annotated[int, Field(ge=0, le=_LARGEST_PID)]
    instance: str
    since: Annotated[int, Field(ge=0, le=_LARGEST_SECONDS)]
    version: Annotated[int, Field(ge=1)] | None = None

    @property
    def described(self) -> str:
        """For a person: the host and the process."""
        if self == UNREADABLE:
            return "unknown: its entry cannot be read"
        return f"{safe_text(self.host, 60)}, process {self.pid}"

    def encode(self) -> bytes:
        """The stored form."""
        return self.model_dump_json(exclude_none=True).encode()


UNREADABLE = Holder(host="", pid=0, instance="", since=0)
"""The holder of an entry that is not one of ours, or of a later form."""


def decode_holder(stored: bytes) -> Holder:
    """The holder that stored bytes name, `UNREADABLE` if they name none."""
    try:
        return Holder.model_validate_json(stored)
    except ValidationError:
        return UNREADABLE


@dataclass(frozen=True, slots=True)
class LeaseKeys:
    """The entries that make up one lease.

    `held` are taken in this order, all or none. `former` is a key at which release 0.1 may hold
    the same, `rebuild` the one whose holder is made room for; each is empty where there is none.
    """

    held: tuple[str, ...]
    former: str = ""
    rebuild: str = ""


def projector_keys(projection: str) -> LeaseKeys:
    """The lease of the process that projects a projection."""
    own, rebuild = f"projector.{projection}", rebuild_key(projection)
    if projection == ACCOUNTS.name:
        return LeaseKeys((FORMER_KEY, own), FORMER_KEY, rebuild)
    former = FORMER_KEY if projection == CATALOGS.name else ""
    return LeaseKeys((own,), former, rebuild)


def rebuild_keys(projection: str) -> LeaseKeys:
    """The lease of the process that writes a rebuild of a projection."""
    return LeaseKeys((rebuild_key(projection),))


def rebuild_key(projection: str) -> str:
    """The key of the entry that says who rebuilds a projection."""
    return f"rebuild.{projection}"


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at a key: the holder, None if nobody holds it, and the revision.

    The revision is what the next write must expect: 0 where nothing is stored, that of the mark
    where the entry was deleted by hand. `bucket` says whether there is a bucket at all.
    """

    holder: Holder | None = None
    revision: int = 0
    bucket: bool = True


class Lease:
    """One entry behind a link; `key` says which."""

    def __init__(self, link: Link, key: str = FORMER_KEY) -> None:
        self._link = link
        self._writer = StreamWriter(link, _STREAM)
        self._subject = f"$KV.{BUCKET}.{key}"

    async def look(self, within_s: float = _ANSWER_S) -> Found:
        """What stands there now. Raises ServerError when there is no answer in time."""
        try:
            entry = await last_message(self._link, _STREAM, self._subject, timeout=within_s)
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                return Found(bucket=False)
            raise
        if entry is None:
            return Found()
        return Found(None if is_removal(entry) else decode_holder(entry.payload), entry.seq)

    async def put(self, holder: Holder, expected_revision: int) -> int | None:
        """Take or renew the entry; its new revision, None if it stands at another one by now.

        Raises ApiError with MESSAGE_TTL_DISABLED where the bucket knows no time to live. After
        any other ServerError than an ApiError the entry may be ours or not.
        """
        headers = {
            "Nats-TTL": f"{TTL_S}s",
            "Nats-Expected-Last-Subject-Sequence": str(expected_revision),
        }
        try:
            stored = await self._writer.store(
                self._subject, holder.encode(), headers, what="the lease", timeout=_ANSWER_S
            )
        except ApiError as error:
            if error.code == WRONG_LAST_SEQUENCE:
                return None
            raise cannot_write(BUCKET, error) from error
        return stored.seq

    async def confirm(self) -> None:
        """Make sure, before the first `put`, that this bucket would store the entry.

        Raises MisplacedWriteError, ServerError.
        """
        await confirm_early(self._link, _STREAM, self._subject)

    async def remove(self, revision: int) -> None:
        """Remove the entry at a revision. A later one has another revision, and stays."""
        await self._link.ask(
            f"STREAM.MSG.DELETE.{_STREAM}", DoneAnswer, {"seq": revision}, timeout=_ANSWER_S
        )


async def projecting(link: Link, projection: str) -> Holder | None:
    """Which process projects a projection, as the entries say now; None where none does."""
    lease = projector_keys(projection)
    keys = [key for key in dict.fromkeys((*reversed(lease.held), lease.former)) if key]
    looks = await asyncio.gather(*(Lease(link, key).look(REQUEST_TIMEOUT) for key in keys))
    for key, found in zip(keys, looks, strict=True):
        holder = found.holder
        if holder is not None and (key != FORMER_KEY or holder.version is None):
            return holder
    return None


async def allow_message_ttl(link: Link) -> bool:
    """Switch message TTL on in a leases' bucket that was made without; whether it was off."""
    return await change_settings(
        link, _STREAM, {"allow_msg_ttl": True}, unless=lambda config: config.allow_msg_ttl
    )
