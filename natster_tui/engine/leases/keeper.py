"""Taking a lease, keeping it, giving it up, and knowing at once when it is gone.

There is one keeper for each projection of a process. The holder of the lease projects. The other
processes watch, and look each second whether the lease is free, because its expiry is not
announced. A holder that could not renew in time has lost the lease, even if the server still has
the entry: a process that slept must not commit when it wakes.

A process that commits a rebuild holds the rebuild lease of that projection. So rebuilds run one
after the other, and the projector pauses for them in whichever process it runs.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from natster_tui.engine.leases.silent_entry import SilentEntry
from natster_tui.engine.leases.waiting import Cause, Waiting
from natster_tui.errors import (
    ApiError,
    BucketError,
    ConflictError,
    ConnectionLostError,
    DeniedError,
    MisplacedWriteError,
    ServerError,
)
from natster_tui.projections.api import Projection
from natster_tui.store.connection.api_codes import MESSAGE_TTL_DISABLED, TRANSIENT
from natster_tui.store.connection.reporting import notice, waiting_for
from natster_tui.store.connection.together import together
from natster_tui.store.lease import (
    BUCKET,
    TTL_S,
    Holder,
    Lease,
    LeaseKeys,
    allow_message_ttl,
    projector_keys,
    rebuild_keys,
)
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.maker import LEASES

RENEW_S = 1.0
"""Between two renewals, and between two looks of a candidate."""
REFUSED_S = 5.0
"""Seconds between two tries after the server refused; an administrator may correct that."""
LATE_S = 10.0
"""How long a lease that ran out by our clock may stay undecided; nothing is written meanwhile."""
UNANSWERED_LOOKS = 3
"""Such a lease is given up after so many looks that the server did not answer.

Not at once: on a busy machine it is as often this process that was too late to hear the answer.
"""
UNANSWERED_S = 15.0
"""After so long without an answer it counts as a refusal."""
REBUILD_WAIT_S = 300.0
"""How long a rebuild waits for another process's rebuild of the same projection."""

_STEP_S = 2.0
"""How long leaving waits for the answers to a renewal."""
_TRUSTED_S = TTL_S - 0.5
"""How long after asking for the last renewal the lease may be relied on."""


class LeaseKeeper:
    """One lease as this process sees it: a projection's, unless `keys` names another.

    `notify` is called when the known state of the lease changes.
    """

    def __init__(
        self,
        projection: Projection[Any],
        instance: str,
        notify: Callable[[], None] = lambda: None,
        *,
        keys: LeaseKeys | None = None,
    ) -> None:
        self.projection = projection.name
        self.me = Holder(
            host=socket.gethostname(),
            pid=os.getpid(),
            instance=instance,
            since=int(time.time()),
            version=projection.version,
        )
        self.refusal: ServerError | None = None
        """Why the server refuses the lease, if waiting will not change that."""
        self._keys = projector_keys(projection.name) if keys is None else keys
        self._notify = notify
        self._others: dict[str, Holder] = {}
        """The live entries of other processes that prevent us from writing, by key."""
        self._silent: dict[str, SilentEntry] = {}
        self._problem = ""
        self._revisions: dict[str, int] = {}
        """The revisions of our own entries."""
        self._asked = self._valid_until = 0.0
        self._unanswered = 0
        self._answered_at = time.monotonic()
        self._wanted = False
        self._gave_up = False
        self._changed = asyncio.Event()
        self._wake = asyncio.Event()
        self._decided = asyncio.Event()

    # -- what is known ---------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether the lease is this process's right now."""
        return self._wanted and self._has_all and time.monotonic() < self._valid_until

    @property
    def _has_all(self) -> bool:
        return len(self._revisions) == len(self._keys.held)

    @property
    def _is_late(self) -> bool:
        """Whether the lease was ours, and ran out before it was looked at again."""
        return self._wanted and self._has_all and not self.held

    @property
    def allows(self) -> bool:
        """Whether this process may write the projection right now."""
        return self.held and self._keys.rebuild not in self._others

    @property
    def is_decided(self) -> bool:
        """Whether it was asked for over this link, and is known to be ours or not."""
        return self._decided.is_set()

    @property
    def gave_up(self) -> bool:
        """Whether this process left the lease to others because it cannot project."""
        return self._gave_up

    @property
    def holder(self) -> Holder | None:
        """Which process projects, as of the last look; None when none does, or none was seen."""
        if self.held:
            return self.me
        others = [self._others.get(key) for key in (*self._keys.held, self._keys.former)]
        return next((other for other in others if other is not None), None)

    @property
    def waiting(self) -> Waiting | None:
        """What prevents this process from writing; None when nothing does."""
        if self.allows:
            return None
        rebuild, former = self._keys.rebuild, self._keys.former
        for key in (rebuild,) if self.held else (former, *self._keys.held):
            if (other := self._others.get(key)) is not None:
                cause = Cause.REBUILD if key.startswith("rebuild.") else Cause.HOLDER
                if key == former and other.version is None:
                    cause = Cause.OLD_RELEASE
                return Waiting(cause, self.projection, other, self._silent[key].looks)
        cause = Cause.RENEWAL if self._is_late else Cause.ANSWER
        if self.refusal is not None:
            cause = Cause.REFUSED
        return Waiting(cause, self.projection, problem=self._problem)

    # -- for the projector -----------------------------------------------------------------

    async def decide(self) -> None:
        """Ask for the lease, and wait until it is known to be ours or not.

        Nothing is written before that, and no bucket is made: beside another program's projections
        no lease is needed.
        """
        self._wanted, self._gave_up = True, False
        self._wake.set()
        await self._decided.wait()

    def give_up(self) -> bool:
        """Leave the lease to others; returns whether it was ours. Asking again takes `decide`."""
        had = bool(self._revisions)
        self._wanted, self._gave_up = False, True
        self._decided.clear()
        self._wake.set()
        self._ring()
        return had

    async def acquired(self) -> None:
        """Wait until the lease is ours; raises the refusal when the server refuses it."""
        await self.decide()
        while not self.held:
            self._changed.clear()
            if self.refusal is not None:
                raise self.refusal
            await self._changed.wait()

    async def confirm(self) -> bool:
        """`allows`, once the lease has been looked at again where it ran out by our clock only.

        A process that was busy or asleep for seconds must not write before it has asked, but need
        not start again if it still has the lease.
        """
        until = time.monotonic() + LATE_S
        while self._is_late and (left := until - time.monotonic()) > 0:
            await self._next_change(left)
        return self.allows

    async def wait_for_change(self, allowed: bool) -> None:
        """Wait until `allows` differs from the given value.

        A lease that this process gives up itself is no change.
        """
        while (
            not self._wanted
            or self.allows == allowed
            or (self._is_late and await self.confirm() == allowed)
        ):
            # When the lease is lost because it was not renewed in time, no notification comes.
            await self._next_change(self._valid_until - time.monotonic() if self.held else None)

    async def _next_change(self, seconds: float | None) -> None:
        self._changed.clear()
        try:
            # Not `wait_for`: until Python 3.12 it may swallow being cancelled.
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    # -- keeping it ------------------------------------------------------------------------

    async def run(self, log: EventLog) -> None:
        """Take and keep the lease until the link is lost; give it back when cancelled."""
        keys = dict.fromkeys((*self._keys.held, self._keys.former, self._keys.rebuild))
        leases = {key: Lease(log.link, key) for key in keys if key}
        self._forget()
        self._others, self._silent = {}, {key: SilentEntry() for key in leases}
        self._answered_at = time.monotonic()
        try:
            while True:
                self._wake.clear()
                if self._wanted:
                    await _uninterrupted(self._step(log, leases))
                    if self._wanted:
                        self._decided.set()
                elif self._gave_up:
                    await self._leave(log, leases)
                await self._until_next_step(log)
        finally:
            self._wanted = self._gave_up = False
            self._decided.clear()
            await self._release(log, leases)
            self._ring()

    async def _until_next_step(self, log: EventLog) -> None:
        seconds = None
        if self._wanted or self._gave_up:
            seconds = RENEW_S if self.refusal is None else REFUSED_S
        waking = asyncio.create_task(self._wake.wait())
        try:
            either: set[asyncio.Future[Any]] = {log.link.lost, waking}
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
        if log.link.is_lost:
            raise ConnectionLostError(log.link.lost_sentence())

    async def _step(self, log: EventLog, leases: dict[str, Lease]) -> None:
        """Renew the lease, or take it where it is free."""
        before = self.waiting
        self._asked = time.monotonic()
        try:
            ours = await self._renewed_or_taken(log, leases)
        except (DeniedError, BucketError, MisplacedWriteError) as error:
            await self._refuse(log, leases, error)
        except ApiError as error:
            if error.code in TRANSIENT:
                self._miss(error)
            else:
                await self._refuse(log, leases, error)
        except ServerError as error:
            if log.link.is_lost:
                raise
            # Not known whether it was stored; the entry itself shows that at the next step.
            self._miss(error)
        else:
            self._problem, self.refusal = "", None
            self._unanswered, self._answered_at = 0, time.monotonic()
            if ours:
                self._valid_until = self._asked + _TRUSTED_S
        self._changed.set()
        if self.waiting != before:
            self._notify()

    async def _renewed_or_taken(self, log: EventLog, leases: dict[str, Lease]) -> bool:
        """Whether all entries are ours now, and release 0.1 holds nothing that stands for them."""
        held, renewals = self._keys.held, []
        if self._has_all:
            renewals = [self._renewed(leases, key) for key in held]
        # Together: on a slow link one after the other would be too late.
        results = await together(*renewals, *self._looks_aside(leases))
        if self._keys.former not in held and self._keys.former in self._others:
            await self._release(log, leases)
            return False
        if renewals and all(results[: len(renewals)]):
            return True
        return await self._take(log, leases)

    def _looks_aside(self, leases: dict[str, Lease]) -> list[Awaitable[None]]:
        """The requests for entries that are never ours."""
        keys = (self._keys.former, self._keys.rebuild)
        return [self._look_at(leases, key) for key in keys if key and key not in self._keys.held]

    async def _look_at(self, leases: dict[str, Lease], key: str) -> None:
        """Note another process's entry that prevents us from writing."""
        found = await leases[key].look()
        other = found.holder
        if other is not None and other.instance == self.me.instance:
            other = None  # what this process rebuilds, it pauses its own projector for
        elif other is not None and key == self._keys.former and other.version is not None:
            other = None  # a process of this release, which holds the account projection only
        if self._lives(key, found.revision, other) or other is None or key != self._keys.rebuild:
            return
        try:
            await leases[key].remove(found.revision)
        except ApiError:
            return  # another process was quicker
        notice(_was_dead(key, other))

    def _lives(self, key: str, revision: int, other: Holder | None) -> bool:
        """Whether another process holds an entry, which is noted."""
        if self._silent[key].look(revision, time.monotonic()) or other is None:
            self._others.pop(key, None)
            return False
        self._others[key] = other
        return True

    async def _renewed(self, leases: dict[str, Lease], key: str) -> bool:
        revision = await leases[key].put(self.me, self._revisions[key])
        if revision is not None:
            self._revisions[key] = revision
        return revision is not None

    async def _take(self, log: EventLog, leases: dict[str, Lease]) -> bool:
        """Have all entries, where no living process holds one; whether they are ours now."""
        self._forget()
        held = self._keys.held
        looks = await together(*(leases[key].look() for key in held))
        # A renewal whose answer was lost, or the lease as we held it over the last link.
        self._revisions = {
            key: found.revision
            for key, found in zip(held, looks, strict=True)
            if found.holder == self.me
        }
        free = True
        for key, found in zip(held, looks, strict=True):
            other = None if found.holder == self.me else found.holder
            free = not self._lives(key, found.revision, other) and free
        if not free:
            await self._release(log, leases)
            return False
        if not all(found.bucket for found in looks):
            await log.buckets.make(LEASES)
        # It may take a second, which would shorten the time to live.
        await leases[held[0]].confirm()
        self._asked = time.monotonic()
        for key, found in zip(held, looks, strict=True):
            revision = await self._put(log, leases[key], found.revision)
            if revision is None:
                # Another process was first; the next look shows which one.
                await self._release(log, leases)
                return False
            self._revisions[key] = revision
            if found.holder not in (None, self.me):
                notice(_was_dead(key, found.holder))
        return True

    async def _put(self, log: EventLog, lease: Lease, expected: int) -> int | None:
        try:
            return await lease.put(self.me, expected)
        except ApiError as error:
            if error.code != MESSAGE_TTL_DISABLED:
                raise
        if await allow_message_ttl(log.link):
            notice(f"{BUCKET} was made without message TTL: it has it now, as leases need it")
        return await lease.put(self.me, expected)

    # -- losing it -------------------------------------------------------------------------

    def _miss(self, error: ServerError) -> None:
        self._problem = error.sentence
        if not self.held:
            self._unanswered += 1
            if not self._has_all or self._unanswered >= UNANSWERED_LOOKS:
                self._forget()
            if time.monotonic() - self._answered_at > UNANSWERED_S:
                self.refusal = error

    async def _refuse(self, log: EventLog, leases: dict[str, Lease], error: ServerError) -> None:
        self._problem, self.refusal = error.sentence, error
        await self._release(log, leases)

    def _forget(self) -> None:
        self._revisions, self._valid_until = {}, 0.0

    async def _leave(self, log: EventLog, leases: dict[str, Lease]) -> None:
        """Give the entries back, and see which process projects instead."""
        await self._release(log, leases)
        try:
            await together(*(self._look_at(leases, key) for key in leases))
        except ServerError as error:
            if log.link.is_lost:
                raise
            # Nothing waits for it.
            self._problem = error.sentence
        self._ring()

    async def _release(self, log: EventLog, leases: dict[str, Lease]) -> None:
        """Remove our entries, the last one taken first."""
        revisions = [
            (key, self._revisions[key])
            for key in reversed(self._keys.held)
            if key in self._revisions
        ]
        self._forget()
        for key, revision in revisions:
            if log.link.is_lost:
                return
            try:
                await leases[key].remove(revision)
            except ServerError:
                continue  # it runs out by itself within three seconds

    def _ring(self) -> None:
        self._changed.set()
        self._notify()


async def _uninterrupted(step: Coroutine[Any, Any, None]) -> None:
    """Finish a step before cancelling it: a renewal that was sent cannot be undone."""
    task = asyncio.create_task(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_STEP_S)
        raise
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _was_dead(key: str, holder: Holder) -> str:
    return (
        f"the entry {key} in {BUCKET} ({holder.described}) was no longer renewed, and would have "
        "been held for ever: it was taken over"
    )


@asynccontextmanager
async def rebuilding(
    log: EventLog, projection: Projection[Any], instance: str
) -> AsyncIterator[None]:
    """Hold the rebuild lease of a projection; waits while another process holds it.

    The projectors of other processes notice it within a second, and pause. Raises ServerError
    when the server refuses the lease, ConflictError when the other rebuild does not end.
    """
    keeper = LeaseKeeper(projection, instance, keys=rebuild_keys(projection.name))
    keeping = asyncio.create_task(keeper.run(log))
    acquiring = asyncio.create_task(keeper.acquired())
    try:
        with waiting_for(lambda: _waited_for(keeper)):
            await asyncio.wait(
                {keeping, acquiring},
                timeout=REBUILD_WAIT_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
        if not keeping.done() and not acquiring.done():
            raise ConflictError(
                f"nothing was written: {_waited_for(keeper)}, for {REBUILD_WAIT_S:,.0f} s; "
                "let it end, or stop it, then try again"
            )
        # The keeper ends first only if it failed.
        await (acquiring if acquiring.done() else keeping)
        yield
    finally:
        for task in (keeping, acquiring):
            task.cancel()
        await asyncio.gather(keeping, acquiring, return_exceptions=True)


def _waited_for(keeper: LeaseKeeper) -> str:
    waiting = keeper.waiting
    return "" if waiting is None else waiting.sentence
