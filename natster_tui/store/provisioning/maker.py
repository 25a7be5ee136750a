"""Creating the missing buckets, with a size limit if the account requires one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from natster_tui.errors import ApiError, DeniedError
from natster_tui.events.log.hazards import Hazard, no_room_for_buckets
from natster_tui.projections.api import Projection
from natster_tui.store.connection.answers.servers import AccountInfoAnswer
from natster_tui.store.connection.answers.streams import StreamInfoAnswer
from natster_tui.store.connection.api_codes import (
    MAX_BYTES_REQUIRED,
    STREAM_NAME_IN_USE,
    TRANSIENT,
)
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.reporting import notice
from natster_tui.store.connection.streams import find_stream
from natster_tui.store.connection.together import together
from natster_tui.store.provisioning.account import room_for, room_of
from natster_tui.store.provisioning.refusals import FLAG, cannot_make, figures_of, too_small
from natster_tui.store.provisioning.sizes import Room, TooSmallError, plan_sizes
from natster_tui.store.provisioning.specs import BucketSpec, Kind
from natster_tui.text.byte_sizes import described_bytes

LEASES = BucketSpec("NATSTER_LEASE", Kind.LEASE)
KEYS = BucketSpec("NATSTER_KEYS", Kind.KEYS)


class BucketMaker:
    """Creates the buckets of one log.

    `replicas` and `log_limit` (its max_bytes, 0 for none) are the log's. `size` is the user's limit
    for a projection in bytes, None for none. `sealed` says whether the log needs a bucket for keys;
    `projections` are those that will need a bucket.
    """

    def __init__(
        self,
        link: Link,
        *,
        replicas: int = 1,
        log_limit: int = 0,
        size: int | None = None,
        sealed: bool = False,
        projections: Sequence[Projection[Any]] = (),
    ) -> None:
        self._link = link
        self._replicas = replicas
        self._log_limit = log_limit
        self._size = size
        self._needed = buckets_needed(projections, sealed=sealed)
        self._sizes: dict[str, int] = {}
        self._noticed: dict[str, int] = {}
        self._room: Room | None = None
        self._planning = asyncio.Lock()

    async def make(self, spec: BucketSpec) -> bool:
        """Create a bucket if it is missing; returns whether it was.

        Raises BucketError with the server's reason and the remedy if that fails.
        """
        if self._size is not None:
            await self._plan(spec)
        # Another bucket's refusal may plan this one's size while the server answers.
        size = self._sizes.get(spec.name)
        try:
            return await self._make(spec, size)
        except ApiError as error:
            if error.code != MAX_BYTES_REQUIRED or size is not None:
                raise self._refusal(spec, error) from error
        await self._plan(spec)
        self._report_sizes()
        try:
            return await self._make(spec, self._sizes[spec.name])
        except ApiError as error:
            raise self._refusal(spec, error) from error

    def room_hazard(
        self, missing: Sequence[BucketSpec], account: AccountInfoAnswer
    ) -> Hazard | None:
        """The hazard of an account with too little storage for missing buckets; None if it fits."""
        room = room_of(account, self._replicas)
        if missing and not self._has_room(missing, room):
            return no_room_for_buckets([each.name for each in missing], figures_of(room))
        return None

    def _has_room(self, missing: Sequence[BucketSpec], room: Room) -> bool:
        if not room.sizes_required and self._size is None:
            # Buckets without a limit reserve nothing, but are refused where nothing is left.
            return room.left is None or room.left > 0
        try:
            plan_sizes(missing, self._log_limit, room, self._size)
        except TooSmallError:
            return False
        return True

    def _report_sizes(self) -> None:
        if self._noticed != self._sizes:
            self._noticed = self._sizes
            sizes = self._sizes.items()
            each = ", ".join(f"{name} {described_bytes(size)}" for name, size in sizes)
            others = {LEASES.name, KEYS.name}
            flag = "" if self._sizes.keys() <= others else f"; {FLAG} sets another"
            notice(f"the account requires a size for each bucket: {each}{flag}")

    async def _make(self, spec: BucketSpec, size: int | None) -> bool:
        config = spec.config(self._replicas, size)
        try:
            await self._link.ask(f"STREAM.CREATE.{spec.stream}", StreamInfoAnswer, config)
        except ApiError as error:
            if error.code == STREAM_NAME_IN_USE:
                return False
            raise
        return True

    def _refusal(self, spec: BucketSpec, error: ApiError) -> Exception:
        if error.code in TRANSIENT:
            return error
        size = self._sizes.get(spec.name)
        return cannot_make(
            spec,
            error,
            size=size,
            room=self._room,
            replicas=self._replicas,
            log_limit=self._log_limit,
        )

    async def _plan(self, spec: BucketSpec) -> None:
        """Choose the size of every missing bucket, before the first one is created."""
        async with self._planning:
            if spec.name in self._sizes:
                return
            needed = {each.name: each for each in (*self._needed, spec)}.values()
            self._room = await room_for(self._link, self._replicas)
            missing = await missing_of(self._link, needed)
            try:
                self._sizes = plan_sizes(missing, self._log_limit, self._room, self._size)
            except TooSmallError as error:
                raise too_small(error, self._room) from error


async def missing_of(link: Link, specs: Iterable[BucketSpec]) -> list[BucketSpec]:
    """The buckets that are not on the server; one that we may not read counts as missing."""

    async def is_missing(spec: BucketSpec) -> bool:
        try:
            return await find_stream(link, spec.stream) is None
        except DeniedError:
            return True

    specs = list(specs)
    found = await together(*map(is_missing, specs))
    return [spec for spec, missing in zip(specs, found, strict=True) if missing]


def buckets_needed(projections: Iterable[Projection[Any]], *, sealed: bool) -> list[BucketSpec]:
    """The buckets of a log; `sealed` says whether it needs one for keys."""
    buckets = [projection_spec(each.bucket, each.beside) for each in projections]
    return [LEASES, *([KEYS] if sealed else []), *buckets]


def projection_spec(bucket: str, beside: str = "") -> BucketSpec:
    """The bucket of a projection; `beside` as in `BucketSpec`."""
    return BucketSpec(bucket, Kind.PROJECTION, beside)
