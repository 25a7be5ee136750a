"""The shared checker of the invariants I1 to I5: a plain client, and a fold of its own.

Nothing here trusts the engine. The log and the buckets are read with nats-py alone, the
documents are folded from the whole log with the domain's pure fold, and what is stored is held
against that.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.folding import fold_all
from tests.paged_documents import pages_named, whole_document, whole_documents

FETCH = 2_000


@dataclass(frozen=True, slots=True)
class LogState:
    """What I4 compares: nothing of it may change, up to `last`."""

    count: int
    first: int
    last: int
    created: str
    digest: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A bucket as a plain client finds it, documents in pages put together."""

    documents: dict[str, bytes]
    checkpoint: dict[str, Any] | None
    revision: int


@dataclass(slots=True)
class Findings:
    """What a check found: the events that went missing, those that count twice, and where."""

    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)


@asynccontextmanager
async def plain_client(settings: ConnectionSettings) -> AsyncIterator[Client]:
    """nats-py as its users use it."""

    async def ignore(_error: Exception) -> None:
        """Its default prints a traceback; what matters raises where it is waited for."""

    client = await nats.connect(
        list(settings.servers),
        user=settings.user,
        password=revealed(settings.password),
        token=revealed(settings.token),
        user_credentials=None if settings.creds is None else str(settings.creds),
        error_cb=ignore,
    )
    try:
        yield client
    finally:
        await client.close()


async def ask(client: Client, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A JetStream request, and its whole answer, errors included."""
    payload = b"" if body is None else json.dumps(body).encode()
    return dict(json.loads((await client.request(f"$JS.API.{verb}", payload, timeout=5)).data))


async def read_stream(client: Client, stream: str) -> tuple[dict[str, Any], list[Record]]:
    """A stream's information and all its messages, by nats-py's own pull consumer.

    In a cluster the consumer may sit on a replica that is behind; the stream's leader knows
    better, and then all is read again.
    """
    while True:
        info, records = await _read_stream_once(client, stream)
        last = info["state"]["last_seq"]
        if records and records[-1].seq == last:
            return info, records
        answer = await ask(client, f"STREAM.MSG.GET.{stream}", {"seq": last})
        if "error" in answer:
            return info, records


async def _read_stream_once(client: Client, stream: str) -> tuple[dict[str, Any], list[Record]]:
    info = await ask(client, f"STREAM.INFO.{stream}")
    count = info["state"]["messages"]
    if not count:
        return info, []
    js = client.jetstream()
    consumer = await js.add_consumer(
        stream,
        ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            deliver_policy=DeliverPolicy.ALL,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=10,
        ),
    )
    subscription = await js.pull_subscribe_bind(consumer=consumer.name, stream=stream)
    records: list[Record] = []
    try:
        while len(records) < count:
            for message in await subscription.fetch(min(FETCH, count - len(records)), timeout=10):
                tokens = message.reply.split(".")
                records.append(
                    Record(
                        int(tokens[5]),
                        int(tokens[7]),
                        message.subject,
                        message.data,
                        tuple((message.headers or {}).items()),
                    )
                )
    finally:
        await subscription.unsubscribe()
        await js.delete_consumer(stream, consumer.name)
    return info, records


async def checkpoint_in(client: Client, bucket: str) -> dict[str, Any] | None:
    """The checkpoint that a bucket holds now."""
    body = {"last_by_subj": f"$KV.{bucket}._checkpoint"}
    answer = await ask(client, f"STREAM.MSG.GET.KV_{bucket}", body)
    if "error" in answer:
        return None
    return dict(json.loads(base64.b64decode(answer["message"].get("data") or "")))


def digest_of(records: Iterable[Record]) -> str:
    """A digest over everything that a record is."""
    digest = hashlib.sha256()
    for record in records:
        digest.update(repr(record).encode())
    return digest.hexdigest()


async def read_bucket(client: Client, bucket: str) -> Stored:
    """All that a bucket holds."""
    try:
        _, records = await read_stream(client, f"KV_{bucket}")
    except KeyError:  # the answer is an error: no such stream
        return Stored({}, None, 0)
    values: dict[str, bytes] = {}
    revision = 0
    for record in records:
        key = record.subject.removeprefix(f"$KV.{bucket}.")
        if key == "_checkpoint":
            revision = record.seq
        if record.header("KV-Operation") in ("DEL", "PURGE"):
            values.pop(key, None)
        else:
            values[key] = record.payload
    checkpoint = values.pop("_checkpoint", None)
    return Stored(
        whole_documents(values), None if checkpoint is None else json.loads(checkpoint), revision
    )


class Checker:
    """Holds what is stored against what the log is, and ever was."""

    def __init__(self, settings: ConnectionSettings, stream: str = NATSTER.stream) -> None:
        self.settings = settings
        self.stream = stream
        self.known: dict[int, Record] = {}
        """Every event the log was ever seen to hold: an administrator may remove them."""
        self._before: LogState | None = None

    async def remember(self) -> LogState:
        """Look at the log; the next check compares it with what it was now."""
        async with plain_client(self.settings) as client:
            self._before = await self._look(client)
        return self._before

    async def _look(self, client: Client, upto: int | None = None) -> LogState:
        info, records = await read_stream(client, self.stream)
        self.known.update((record.seq, record) for record in records)
        if upto is not None:
            records = [record for record in records if record.seq <= upto]
        return LogState(
            len(records),
            info["state"]["first_seq"],
            info["state"]["last_seq"] if upto is None else upto,
            info["created"],
            digest_of(records),
        )

    def records(self, upto: int) -> list[Record]:
        """The events that a projection at `upto` stands for, in order."""
        return [self.known[seq] for seq in sorted(self.known) if seq <= upto]

    async def check(
        self,
        *,
        at: int | None = None,
        log_damaged: bool = False,
        wrong_keys: Sequence[str] = (),
        projections: Sequence[Projection[Any]] = PROJECTIONS,
    ) -> Findings:
        """I1, I2 and I4, asserted. `at`: where each checkpoint must be by now.

        `log_damaged`: the fault was done to the log itself, so it is not compared.
        `wrong_keys`: entries that the fault overwrote, and that are still wrong.
        """
        findings = Findings()
        async with plain_client(self.settings) as client:
            if not log_damaged:
                assert self._before is not None
                after = await self._look(client, self._before.last)
                assert after == self._before, "I4: the log was changed"
            for projection in projections:
                stored = await read_bucket(client, projection.bucket)
                self._compare(projection, stored, findings, at, frozenset(wrong_keys))
        assert not findings.wrong, findings
        return findings

    def _compare(
        self,
        projection: Projection[Any],
        stored: Stored,
        findings: Findings,
        at: int | None,
        wrong_keys: frozenset[str],
    ) -> None:
        name = projection.name
        checkpoint = stored.checkpoint
        assert checkpoint is not None, f"{name} has no checkpoint"
        assert "rebuild" not in checkpoint, f"{name} is marked: a rebuild did not end"
        seq = checkpoint["seq"]
        assert at is None or seq == at, f"{name} stands at {seq}, not at {at}"
        records = self.records(seq)
        fold = fold_all(projection, records)
        documents = fold.documents()
        parked = checkpoint["parked"]["count"] - fold.parked.count
        findings.doubled += max(0, parked)
        findings.lost += max(0, -parked)
        if parked:
            findings.wrong.append(f"{name}: parked {parked:+} at {seq}")
        recent = [(each.seq, each.reason.value) for each in fold.parked.recent]
        if [(each["seq"], each["reason"]) for each in checkpoint["parked"]["recent"]] != recent:
            findings.wrong.append(f"{name}: other events are parked at {seq}")
        differing = {
            key
            for key in {*documents, *stored.documents} - wrong_keys
            if documents.get(key) != stored.documents.get(key)
        }
        if differing:
            history = values_between(projection, records, 0, seq)
            for key in sorted(differing):
                behind = stored.documents.get(key) in history.get(key, {None})
                findings.lost += behind
                findings.doubled += not behind
                findings.wrong.append(
                    f"{name} {key} at {seq}: {stored.documents.get(key)!r}, "
                    f"not {documents.get(key)!r}"
                )


def values_between(
    projection: Projection[Any], records: Sequence[Record], first: int, last: int
) -> dict[str, set[bytes | None]]:
    """Every value that each key has at the sequences from `first` to `last`.

    A key that has none at `first` has None among its values. One not mentioned never has any.
    """
    fold: Fold[Any] = Fold(projection)
    values: dict[str, set[bytes | None]] = {}
    began = False
    for record in records:
        if record.seq > last:
            break
        if not began and record.seq > first:
            began = True
            values = {key: {document} for key, document in fold.documents().items()}
        for key in fold.apply(record, NATSTER.read(record)):
            if began:
                values.setdefault(key, {None}).add(fold.document(key))
    if not began:
        values = {key: {document} for key, document in fold.documents().items()}
    return values


class Reader:
    """A client that reads documents all the time, while they are being rewritten (I3).

    What is read is kept, and judged at the end: each value must be one that the key had at some
    sequence between the two checkpoints. Two ways of reading take turns: single keys at random,
    and the whole bucket.
    """

    def __init__(
        self, settings: ConnectionSettings, projection: Projection[Any], keys: Sequence[str]
    ) -> None:
        self.reads = 0
        self.whole_reads = 0
        """How many of them were of a document in pages, all of one instant."""
        self._settings = settings
        self._projection = projection
        self._keys = list(keys)
        self._seen: dict[str, set[bytes | None]] = {}
        self._sparse = 0
        self._ended = False
        self._random = random.Random(7)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Read for as long as the block lasts."""
        task = asyncio.create_task(self._read())
        try:
            yield self
        finally:
            self._ended = True
            await task

    async def _read(self) -> None:
        async with plain_client(self._settings) as client:
            while not self._ended:
                for _ in range(50):
                    await self._read_one(client, self._random.choice(self._keys))
                await self._read_all(client)

    async def _read_one(self, client: Client, key: str) -> None:
        as_of, _ = await self._entry(client, "_checkpoint")
        newest, main = await self._entry(client, key)
        pages = {}
        for name, number in pages_named(main or b""):
            revision, page = await self._entry(client, f"{key}/{name}/{number}")
            newest = max(newest, revision)
            pages[name, number] = page or b""
        # Where there is one entry it is the document; several belong together when none is newer
        # than the checkpoint that was read first.
        if not pages:
            self._note(key, main)
        elif newest <= as_of:
            self.whole_reads += 1
            self._note(key, whole_document(main or b"", pages))

    async def _entry(self, client: Client, key: str) -> tuple[int, bytes | None]:
        """The revision and the value of an entry."""
        bucket = self._projection.bucket
        answer = await ask(
            client, f"STREAM.MSG.GET.KV_{bucket}", {"last_by_subj": f"$KV.{bucket}.{key}"}
        )
        if "error" in answer:
            return 0, None
        message = answer["message"]
        removed = b"KV-Operation" in base64.b64decode(message.get("hdrs") or "")
        value = None if removed else base64.b64decode(message.get("data") or "")
        return message["seq"], value

    async def _read_all(self, client: Client) -> None:
        """The keys there are at one instant; a bucket must never look empty."""
        bucket = self._projection.bucket
        answer = await ask(client, f"STREAM.INFO.KV_{bucket}")
        if answer["state"]["messages"] < len(self._keys):
            self._sparse += 1
        self.reads += 1

    def _note(self, key: str, value: bytes | None) -> None:
        self.reads += 1
        self._seen.setdefault(key, set()).add(value)

    def torn(
        self,
        records: Sequence[Record],
        first: int,
        last: int,
        was_wrong: dict[str, bytes] | None = None,
    ) -> int:
        """How many reads were no true value between the checkpoints `first` and `last`.

        `was_wrong`: the values that the diff found wrong, which may be read until put right.
        """
        true = values_between(self._projection, records, first, last)
        torn = self._sparse
        for key, values in self._seen.items():
            allowed = set(true.get(key, {None}))
            if was_wrong and key in was_wrong:
                allowed.add(was_wrong[key])
            torn += len(values - allowed)
        return torn
