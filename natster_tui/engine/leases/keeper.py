"""Taking a lease, renewing it, giving it up, and noticing at once when it is lost.

There is one keeper for each projection of a process. The holder of the lease projects. The other
processes watch, and check each second whether the lease is free, because its expiry is not
announced. A holder that could not renew in time has lost the lease, even if the server still has
the entry: a process that slept must not commit when it wakes.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

from natster_tui.engine.leases.entries import LeaseEntries, unix_now
from natster_tui.engine.leases.waiting import Cause, Waiting
from natster_tui.errors import (
    ApiError,
    BucketError,
    ConnectionLostError,
    DeniedError,
    MisplacedWriteError,
    ServerError,
)
from natster_tui.projections.api import Projection
from natster_tui.store.connection.api_codes import TRANSIENT
from natster_tui.store.lease import (
    Holder,
    LeaseKeys,
    is_rebuild_key,
    projector_keys,
)
from natster_tui.store.log import EventLog
from natster_tui.store.tasks import end_all

RENEW_S = 1.0
"""Seconds between two renewals, and between two checks whether the lease is free."""
REFUSED_S = 5.0
"""Seconds between two tries after the server refused; an administrator may correct that."""
LATE_S = 10.0
"""How long to wait for the renewal of a lease that ran out by our clock, before writing."""
UNANSWERED_REQUESTS = 3
"""A lease that ran out is given up after so many requests without an answer.

Not at once: on a busy machine this process may have been too late to read the answer.
"""
UNANSWERED_S = 15.0
"""After so long without an answer it counts as a refusal."""

_STEP_S = 2.0
"""How long leaving waits for the answers to a renewal."""


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
        me = Holder(
            host=socket.gethostname(),
            pid=os.getpid(),
            instance=instance,
            since=unix_now(),
            version=projection.version,
        )
        self.refusal: ServerError | None = None
        """Why the server refuses the lease, if waiting will not change that."""
        self._keys = projector_keys(projection.name) if keys is None else keys
        self._entries = LeaseEntries(self._keys, me)
        self._notify = notify
        self._problem = ""
        self._unanswered = 0
        self._answered_at = time.monotonic()
        self._wanted = False
        self._gave_up = False
        self._changed = asyncio.Event()
        self._wake = asyncio.Event()
        self._decided = asyncio.Event()

    # -- what is known ---------------------------------------------------------------------

    @property
    def me(self) -> Holder:
        """The holder that the entries of this process name."""
        return self._entries.me

    @property
    def held(self) -> bool:
        """Whether the lease is this process's right now."""
        return self._wanted and self._entries.are_valid

    @property
    def _is_late(self) -> bool:
        """Whether the lease was ours, and ran out before it was renewed."""
        return self._wanted and self._entries.are_ours and not self.held

    @property
    def allows(self) -> bool:
        """Whether this process may write the projection right now."""
        return self.held and self._keys.rebuild not in self._entries.others

    @property
    def is_decided(self) -> bool:
        """Whether it is known, over this link, if the lease is ours."""
        return self._decided.is_set()

    @property
    def gave_up(self) -> bool:
        """Whether this process left the lease to others because it cannot project."""
        return self._gave_up

    @property
    def holder(self) -> Holder | None:
        """Which process projects, as of the last read; None if none does, or none was seen."""
        if self.held:
            return self.me
        others = [self._entries.others.get(key) for key in (*self._keys.held, self._keys.former)]
        return next((other for other in others if other is not None), None)

    @property
    def waiting(self) -> Waiting | None:
        """What prevents this process from writing; None when nothing does."""
        if self.allows:
            return None
        rebuild, former = self._keys.rebuild, self._keys.former
        for key in (rebuild,) if self.held else (former, *self._keys.held):
            if (other := self._entries.others.get(key)) is not None:
                cause = Cause.REBUILD if is_rebuild_key(key) else Cause.HOLDER
                if key == former and other.version is None:
                    cause = Cause.OLD_RELEASE
                return Waiting(cause, self.projection, other, self._entries.silent_looks(key))
        cause = Cause.RENEWAL if self._is_late else Cause.ANSWER
        if self.refusal is not None:
            cause = Cause.REFUSED
        return Waiting(cause, self.projection, problem=self._problem)

    # -- for the projector -----------------------------------------------------------------

    async def decide(self) -> None:
        """Ask for the lease, and wait until it is known to be ours or not.

        Nothing is written before that, and no bucket is created: where another program projects, no
        lease is needed.
        """
        self._wanted, self._gave_up = True, False
        self._wake.set()
        await self._decided.wait()

    def give_up(self) -> bool:
        """Leave the lease to others; returns whether it was ours. Call `decide` to ask again."""
        had = bool(self._entries.revisions)
        self._wanted, self._gave_up = False, True
        self._decided.clear()
        self._wake.set()
        self._changed_state()
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
        """Return `allows`, after waiting for a renewal if the lease ran out by our clock only.

        A process that was busy or asleep for seconds must not write before it has renewed the
        lease, but need not start again if it still has it.
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
            await self._next_change(
                self._entries.valid_until - time.monotonic() if self.held else None
            )

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
        self._entries.begin(log)
        self._answered_at = time.monotonic()
        try:
            while True:
                self._wake.clear()
                if self._wanted:
                    await _uninterrupted(self._step(log))
                    if self._wanted:
                        self._decided.set()
                elif self._gave_up:
                    await self._release_and_read(log)
                await self._until_next_step(log)
        finally:
            self._wanted = self._gave_up = False
            self._decided.clear()
            await self._entries.release()
            self._changed_state()

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

    async def _step(self, log: EventLog) -> None:
        """Renew the lease, or take it if it is free."""
        before = self.waiting
        try:
            await self._entries.renew_or_take()
        except (DeniedError, BucketError, MisplacedWriteError) as error:
            await self._refuse(error)
        except ApiError as error:
            if error.code in TRANSIENT:
                self._note_unanswered(error)
            else:
                await self._refuse(error)
        except ServerError as error:
            if log.link.is_lost:
                raise
            # It may be stored or not; the next step reads the entry.
            self._note_unanswered(error)
        else:
            self._problem, self.refusal = "", None
            self._unanswered, self._answered_at = 0, time.monotonic()
        self._changed.set()
        if self.waiting != before:
            self._notify()

    # -- losing it -------------------------------------------------------------------------

    def _note_unanswered(self, error: ServerError) -> None:
        self._problem = error.sentence
        if not self.held:
            self._unanswered += 1
            if not self._entries.are_ours or self._unanswered >= UNANSWERED_REQUESTS:
                self._entries.forget()
            if time.monotonic() - self._answered_at > UNANSWERED_S:
                self.refusal = error

    async def _refuse(self, error: ServerError) -> None:
        self._problem, self.refusal = error.sentence, error
        await self._entries.release()

    async def _release_and_read(self, log: EventLog) -> None:
        """Remove our entries, and read which process projects instead."""
        await self._entries.release()
        try:
            await self._entries.refresh()
        except ServerError as error:
            if log.link.is_lost:
                raise
            self._problem = error.sentence
        self._changed_state()

    def _changed_state(self) -> None:
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
        await end_all([task])
