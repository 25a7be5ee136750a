"""The leases that say which process projects, and which one rebuilds.

Bucket `NATSTER_LEASE`:

| key | held by the process that |
| --- | --- |
| `projector.<projection>` | projects this projection |
| `projector` | holds `projector.account`; release 0.1 knows only this key, and waits for it |
| `rebuild.<projection>` | writes a rebuild of this projection |

A version that is stored beside a projection is called `<projection>.v<n>` here as well.

A process takes an entry with a publish that expects none, and renews it each second with one that
expects its own revision. Both have a time to live, so the entry of a process that died expires.
Leases keep two processes from doing the same work. They do not protect the data; the expected
revision of the checkpoint does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from natster_tui.errors import ApiError, BucketError
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.connection.answers.streams import DoneAnswer
from natster_tui.store.connection.api_codes import STREAM_NOT_FOUND, WRONG_LAST_SEQUENCE
from natster_tui.store.connection.link import REQUEST_TIMEOUT, Link
from natster_tui.store.connection.streams import find_stream, last_message
from natster_tui.store.connection.together import together
from natster_tui.store.connection.wire import is_removal
from natster_tui.store.provisioning.maker import LEASES
from natster_tui.store.provisioning.refusals import cannot_write
from natster_tui.store.provisioning.retention import MORE_TOKENS, unfit_setting
from natster_tui.store.provisioning.updating import change_settings
from natster_tui.store.writing.stream_writer import StreamWriter, confirm_early
from natster_tui.text.safe_text import safe_text

BUCKET = LEASES.name
FORMER_KEY = "projector"
"""The only projector key that release 0.1 knows; it covers both built-in projections."""
TTL_S = 3

_STREAM = LEASES.stream
_REBUILD = "rebuild."
_ANSWER_S = 1.0
"""How long to wait for an answer; three such waits fit into the time to live."""
_LARGEST_PID = 2**32
_LARGEST_SECONDS = 2**40


class Holder(BaseModel):
    """Who holds an entry, and since when: `since` is unix seconds.

    `version` is the projection's version that the holder projects; None in an entry of release
    0.1. An unreadable entry still counts as held: see `UNREADABLE`.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    host: str
    pid: Annotated[int, Field(ge=0, le=_LARGEST_PID)]
    instance: str
    since: Annotated[int, Field(ge=0, le=_LARGEST_SECONDS)]
    version: Annotated[int, Field(ge=1)] | None = None

    @property
    def described(self) -> str:
        """The host and the process, to show."""
        if self == UNREADABLE:
            return "unknown: its entry cannot be read"
        return f"{safe_text(self.host, 60)}, process {self.pid}"

    def encode(self) -> bytes:
        """The stored form."""
        return self.model_dump_json(exclude_none=True).encode()


UNREADABLE = Holder(host="", pid=0, instance="", since=0)
"""The holder of an entry that is not ours, or is in a later format."""


def decode_holder(stored: bytes) -> Holder:
    """Parse the holder of a stored entry; `UNREADABLE` if that fails."""
    try:
        return Holder.model_validate_json(stored)
    except ValidationError:
        return UNREADABLE


@dataclass(frozen=True, slots=True)
class LeaseKeys:
    """The entries that make up one lease.

    `held` are taken in this order, all or none. `former` is the key at which release 0.1 may hold
    the same lease. The holder of `rebuild` has precedence over this lease. Each may be empty.
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
    """The key of the entry that names the process rebuilding a projection."""
    return f"{_REBUILD}{projection}"


def is_rebuild_key(key: str) -> bool:
    """Whether a key is of an entry that names a process which rebuilds."""
    return key.startswith(_REBUILD)


@dataclass(frozen=True, slots=True)
class LeaseState:
    """The state of a key: the holder, None if it is not held, and the revision.

    The next write must expect this revision: 0 if nothing is stored, or the delete marker's if
    the entry was deleted by hand. `bucket` says whether the bucket exists.
    """

    holder: Holder | None = None
    revision: int = 0
    bucket: bool = True


class Lease:
    """One lease entry, reached over a link; `key` says which."""

    def __init__(self, link: Link, key: str = FORMER_KEY) -> None:
        self._link = link
        self._writer = StreamWriter(link, _STREAM)
        self._subject = f"$KV.{BUCKET}.{key}"

    async def read(self, within_s: float = _ANSWER_S) -> LeaseState:
        """Read the entry. Raises ServerError if there is no answer in time."""
        try:
            entry = await last_message(self._link, _STREAM, self._subject, timeout=within_s)
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                return LeaseState(bucket=False)
            raise
        if entry is None:
            return LeaseState()
        return LeaseState(None if is_removal(entry) else decode_holder(entry.payload), entry.seq)

    async def put(self, holder: Holder, expected_revision: int) -> int | None:
        """Take or renew the entry; returns its new revision, None if another process changed it.

        Raises ApiError with MESSAGE_TTL_DISABLED if the bucket allows no time to live. After any
        ServerError that is not an ApiError the entry may be ours or not.
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
        """Check, before the first `put`, that this bucket would store the entry.

        Raises BucketError, MisplacedWriteError, ServerError.
        """
        early = confirm_early(self._link, _STREAM, self._subject)
        await together(early, self._refuse_if_unfit())

    async def _refuse_if_unfit(self) -> None:
        """Raise BucketError if the bucket does not store entries as they are.

        Its settings are read once per connection, and only where that is permitted.
        """
        link, known = self._link, self._link.confirmations[_STREAM]
        if known.fits:
            return
        info = await link.denials.if_permitted(
            link.target.request(f"STREAM.INFO.{_STREAM}"), lambda: find_stream(link, _STREAM)
        )
        if info is None:
            return
        if setting := unfit_setting(BUCKET, info.config, MORE_TOKENS):
            raise BucketError(
                f"no lease can be stored in {BUCKET} ({setting}): change that setting of the "
                f"stream {_STREAM}, or delete the stream, which is made again"
            )
        known.fits = True

    async def remove(self, revision: int) -> None:
        """Remove the entry at a revision. A later entry has another revision, and stays."""
        await self._link.ask(
            f"STREAM.MSG.DELETE.{_STREAM}", DoneAnswer, {"seq": revision}, timeout=_ANSWER_S
        )


async def projecting(link: Link, projection: str) -> Holder | None:
    """The process that projects a projection, by its entries; None if there is none."""
    lease = projector_keys(projection)
    keys = [key for key in dict.fromkeys((*reversed(lease.held), lease.former)) if key]
    looks = await together(*(Lease(link, key).read(REQUEST_TIMEOUT) for key in keys))
    for key, found in zip(keys, looks, strict=True):
        holder = found.holder
        if holder is not None and (key != FORMER_KEY or holder.version is None):
            return holder
    return None


async def rebuilding_now(link: Link, projection: str) -> Holder | None:
    """The process that writes a rebuild of a projection, by its entry; None if there is none."""
    return (await Lease(link, rebuild_key(projection)).read(REQUEST_TIMEOUT)).holder


async def allow_message_ttl(link: Link) -> bool:
    """Switch message TTL on in a lease bucket made without it; returns whether it was off."""
    return await change_settings(
        link, _STREAM, {"allow_msg_ttl": True}, unless=lambda config: config.allow_msg_ttl
    )
