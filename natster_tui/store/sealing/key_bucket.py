"""The bucket `NATSTER_KEYS`: wrapped data keys, tombstones, and the key that wraps now.

| entry | value |
| --- | --- |
| `_keyring` | `{"id","kek"}`, plain: the keyring's own id, and that of the key that wraps now |
| `<account>.<key id>` | a data key, wrapped (`envelope`) |
| `_tombstone.<account>` | which data keys were destroyed, sealed (`envelope`) |

Every write is one atomic batch that ends with `_keyring` and expects its revision. This puts all
writes in order: no writer can add a key that is wrapped with a key-encryption key which was rotated
away, and of two first writers one gets a conflict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, ValidationError

from natster_tui.errors import ApiError, BucketError
from natster_tui.store.connection.answers.streams import DoneAnswer
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import find_stream, message_at
from natster_tui.store.connection.together import together
from natster_tui.store.files.models import StoredModel
from natster_tui.store.provisioning.batch_writing import commit_batch
from natster_tui.store.provisioning.maker import KEYS, BucketMaker
from natster_tui.store.provisioning.retention import MORE_TOKENS, lossy_setting, unfit_setting
from natster_tui.store.reading.stream_reader import StreamReader, start_reader
from natster_tui.store.writing.atomic_batch import (
    BATCH_LIMIT,
    BatchMessage,
    is_unfinished,
)

BUCKET = KEYS.name
KEYRING_ENTRY = "_keyring"
TOMBSTONE_PREFIX = "_tombstone."
ENTRIES_AT_ONCE = BATCH_LIMIT - 1

_Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,64}$")]
_STREAM = KEYS.stream
_SUBJECT_PREFIX = f"$KV.{BUCKET}."


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One stored value and its revision."""

    value: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Head:
    """The `_keyring` entry. `kek` is the id of the key-encryption key that wraps now."""

    ring: str
    kek: str
    revision: int


class KeyBucket:
    """The bucket, reached over a link. It need not exist."""

    def __init__(self, link: Link, instance: str) -> None:
        self.link = link
        self.maker = BucketMaker(link, sealed=True)
        """Creates it if it is missing."""
        self._instance = instance
        self._lossy_setting = self._unfit_setting = ""
        self._keeps_all = self._has_one_replica = False

    @property
    def hazard(self) -> str:
        """A sentence if keys that are stored may be lost because of a setting; else empty."""
        if self._lossy_setting:
            return (
                f"{BUCKET} loses keys ({self._lossy_setting}), and what is sealed with a lost key "
                f"can never be read again: change that setting of the stream {_STREAM}"
            )
        if self._has_one_replica:
            return (
                f"{BUCKET} has one replica on a cluster: with that server's disk all keys are "
                f"gone, and all that they seal; set num_replicas of the stream {_STREAM} to 3"
            )
        return ""

    async def newest(self) -> tuple[str, int] | None:
        """When the bucket was made, and its newest revision; None if there is no such bucket."""
        info = await find_stream(self.link, _STREAM)
        if info is None:
            return None
        self._lossy_setting = lossy_setting(info.config)
        self._unfit_setting = unfit_setting(BUCKET, info.config, MORE_TOKENS)
        self._keeps_all = info.config.deny_delete
        # A single server may report a cluster without a name.
        in_cluster = info.cluster is not None and bool(info.cluster.name)
        self._has_one_replica = in_cluster and info.config.num_replicas <= 1
        return info.created, info.state.last_seq

    def refuse_if_unfit(self) -> None:
        """Raise BucketError if a new key would be lost, and with it everything it seals."""
        if self._unfit_setting:
            raise BucketError(
                f"no key is made in {BUCKET}: it could not be stored there "
                f"({self._unfit_setting}), and what is sealed with it could never be read again: "
                f"change that setting of the stream {_STREAM}"
            )
        if self._lossy_setting:
            raise BucketError(
                f"no key is made in {BUCKET}: it would be lost ({self._lossy_setting}), and what "
                "is sealed with it could never be read again; give the bucket file storage and no "
                "limit that forgets"
            )

    def refuse_if_it_keeps_all(self) -> None:
        """Raise BucketError if no key can be deleted from it, so that nothing can be erased."""
        if self._keeps_all:
            raise BucketError(
                f"nothing was erased: the stream {_STREAM} has deny_delete, so that no key can be "
                "deleted from it, and the server does not let that be changed; stop all writers, "
                "`export --keys`, delete that stream, and `import` the file: the stream is made "
                "again without that setting"
            )

    async def create(self) -> None:
        """Create it if it is missing."""
        await self.maker.make(KEYS)

    async def entries_after(self, revision: int, upto: int) -> dict[str, KeyEntry]:
        """The newest state of each entry written after one revision, up to another or later.

        Reads until nothing is pending and no batch is half read. An entry that is overwritten
        during the read is missing at its old revision, and comes again with the new one.
        """
        async with self._reader(revision) as reader:
            return await self._read(reader, upto)

    async def everything(self) -> tuple[str, int, dict[str, KeyEntry]] | None:
        """`newest` and all entries, asked for together; None if there is no such bucket."""
        reader = self._reader(0)
        async with AsyncExitStack() as stack:
            newest, failed = await together(self.newest(), start_reader(stack, reader))
            if newest is None or newest[1] == 0:
                return newest and (*newest, {})
            if failed is not None:
                raise failed
            return *newest, await self._read(reader, newest[1])

    def _reader(self, revision: int) -> StreamReader:
        return StreamReader(
            self.link,
            _STREAM,
            revision + 1,
            purpose="keys",
            instance=self._instance,
            heartbeat_s=0.1,
        )

    async def _read(self, reader: StreamReader, upto: int) -> dict[str, KeyEntry]:
        found: dict[str, KeyEntry] = {}
        in_batch = False
        async with aclosing(reader.batches()) as batches:
            async for batch in batches:
                for record in batch:
                    if not record.subject.startswith(_SUBJECT_PREFIX):
                        raise self.link.malformed(
                            f"a request for messages of {_STREAM}", "it sent one of another subject"
                        )
                    name = record.subject.removeprefix(_SUBJECT_PREFIX)
                    found[name] = KeyEntry(record.payload, record.seq)
                    in_batch = is_unfinished(record)
                if reader.next_seq > upto and reader.pending == 0 and not in_batch:
                    return found
                if reader.idle and await reader.has_all():
                    # The last of them were erased.
                    return found
        return found

    async def write(self, entries: Mapping[str, tuple[bytes, int]], head: Head) -> int:
        """Write entries (value, expected revision) and the head at its revision, in one batch.

        Returns the head's new revision. Raises ConflictError, with nothing written.
        """
        messages = [
            BatchMessage(_SUBJECT_PREFIX + name, value, expected)
            for name, (value, expected) in entries.items()
        ]
        value = json.dumps({"id": head.ring, "kek": head.kek}, separators=(",", ":")).encode()
        messages.append(BatchMessage(_SUBJECT_PREFIX + KEYRING_ENTRY, value, head.revision))
        return await commit_batch(self.link, BUCKET, messages)

    async def erase(self, revision: int) -> None:
        """Remove the entry at a revision and overwrite it in the server's files."""
        try:
            await self.link.ask(
                f"STREAM.MSG.DELETE.{_STREAM}", DoneAnswer, {"seq": revision, "no_erase": False}
            )
        except ApiError:
            # If it is gone already, this repeats an interrupted erasure.
            if await message_at(self.link, _STREAM, revision) is not None:
                raise


class _HeadEntry(StoredModel):
    """The `_keyring` entry as stored."""

    ring: _Id = Field(alias="id")
    kek: _Id


def read_head(entry: KeyEntry) -> Head | None:
    """The keyring's id and key that an entry names; None if the entry is not ours."""
    try:
        read = _HeadEntry.model_validate_json(entry.value)
    except ValidationError:
        return None
    return Head(read.ring, read.kek, entry.revision)
