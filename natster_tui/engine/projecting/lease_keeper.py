"""Taking a lease, keeping it, and knowing at once when it is gone.

One keeper for a workspace's projectors. Whoever holds the lease projects; the others watch and
look each second whether it became free, because its expiry makes no sound. A holder that could
not renew in time no longer counts as one, whatever the server might say later: a process that
slept must not commit when it wakes.

Whoever commits a rebuild holds the lease of that projection's rebuild meanwhile, so that rebuilds
come one after the other, and the projector, wherever it runs, makes room for them.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from natster_tui.errors import ConnectionLostError, DeniedError, ServerError
from natster_tui.store.lease import PROJECTOR, RENEW_S, TTL_S, Holder, Lease, rebuild_key
from natster_tui.store.log import EventLog

_TRUSTED_S = TTL_S - 0.5
"""How long after asking for the last renewal the lease may be relied on."""


UNANSWERED_LOOKS = 3
"""A lease that ran out by our clock is given up after so many looks that nobody answered.

Not at once: on a busy machine it is as often we who were too late to hear the answer.
"""
LATE_S = 10.0
"""How long those looks may take at most; nothing is written meanwhile."""


class LeaseKeeper:
    """A lease as this process sees it, the projector's unless `key` names another.

    `notify` is rung when what is known of it changes.
    """

    def __init__(
        self, instance: str, notify: Callable[[], None] = lambda: None, *, key: str = PROJECTOR
    ) -> None:
        self.me = Holder(socket.gethostname(), os.getpid(), instance, int(time.time()))
        self.holder: Holder | None = None
        """Who holds it, as of the last look; None when nobody does, or nobody could be asked."""
        self.problem = ""
        """Why the lease cannot be had, when it is not simply somebody else's."""
        self.denied = False
        """Whether the server forbids us the lease, which no waiting will change."""
        self._key = key
        self._notify = notify
        self._rebuilders: dict[str, Holder | None] = {}
        """Which other process writes a rebuild of a projection of ours, as of the last look."""
        self._revision = 0
        self._valid_until = 0.0
        self._unanswered = 0
        self._changed = asyncio.Event()
        self._wanted = asyncio.Event()
        self._decided = asyncio.Event()

    @property
    def is_decided(self) -> bool:
        """Whether it is known on this link whether the lease is ours."""
        return self._decided.is_set()

    async def decide(self) -> None:
        """Ask for the lease, and wait until it is decided.

        Until somebody asks nothing is written, not even the bucket: beside another program's
        projections there is nothing to hold a lease for.
        """
        self._wanted.set()
        await self._decided.wait()

    @property
    def held(self) -> bool:
        """Whether the lease is this process's right now."""
        return self._revision > 0 and time.monotonic() < self._valid_until

    async def acquired(self) -> None:
        """Until the lease is ours; raises DeniedError when the server forbids it."""
        await self.decide()
        while not self.held:
            self._changed.clear()
            if self.denied:
                raise DeniedError(self.problem)
            await self._changed.wait()

    # -- for the projectors ----------------------------------------------------------------

    def serve(self, projection: str) -> None:
        """Look each second whether another process rebuilds this projection, too."""
        self._rebuilders[projection] = None

    def allows(self, projection: str) -> bool:
        """Whether this process may write this projection right now."""
        return self.held and self._rebuilders[projection] is None

    def sentence(self, projection: str) -> str:
        """Why this process does not write this projection."""
        if self.problem:
            return f"only watching: {self.problem}"
        if self.holder is None:
            return "waiting for the projector's lease"
        if self.holder != self.me:
            return f"watching: another dashboard projects ({self.holder.described})"
        rebuilder = self._rebuilders[projection]
        if rebuilder is None:
            return "the projector's lease is about to be renewed"
        return f"watching: {projection} is being rebuilt ({rebuilder.described})"

    async def confirm(self, projection: str) -> bool:
        """`allows`, once the lease has been looked at again where it ran out by our clock only.

        A process that was busy or asleep for seconds must not write before it has asked, and
        need not begin anew if the lease turns out to be its own still.
        """
        until = time.monotonic() + LATE_S
        while self._is_late and (left := until - time.monotonic()) > 0:
            await self._next_change(left)
        return self.allows(projection)

    async def wait_for_change(self, projection: str, allowed: bool) -> None:
        """Until `allows` is no longer what it is said to be here."""
        while self.allows(projection) == allowed or (
            self._is_late and await self.confirm(projection) == allowed
        ):
            # Losing the lease by not renewing it in time is a change that nobody announces.
            await self._next_change(self._valid_until - time.monotonic() if self.held else None)

    @property
    def _is_late(self) -> bool:
        """Whether the lease was ours, and ran out before it was looked at again."""
        return self._revision > 0 and not self.held

    async def _next_change(self, seconds: float | None) -> None:
        self._changed.clear()
        try:
            # Not `wait_for`: until Python 3.12 it may swallow being cancelled.
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def run(self, log: EventLog) -> None:
        """Take and keep the lease until the link is lost; give it back when cancelled."""
        lease = Lease(log.link, self._key)
        self._let_go()
        try:
            await self._wanted.wait()
            while True:
                await self._step(log, lease)
                self._decided.set()
                await asyncio.wait({log.link.lost}, timeout=RENEW_S)
                if log.link.is_lost:
                    raise ConnectionLostError(log.link.lost_sentence())
        finally:
            self._wanted.clear()
            self._decided.clear()
            await self._give_back(log, lease)

    async def _step(self, log: EventLog, lease: Lease) -> None:
        asked = time.monotonic()
        try:
            await self._look_for_rebuilds(log)
            if self._revision == 0:
                await lease.create_bucket(log.info.replicas)
            revision = await lease.put(self.me, self._revision)
            if revision is None and (ours := await self._own_revision(lease)):
                # A renewal whose answer was lost, or the lease as we held it on the last link.
                revision = await lease.put(self.me, ours)
            elif revision is None and self._revision:
                # Renewed too late, but unless somebody else took it meanwhile it is ours again.
                revision = await lease.put(self.me, 0)
        except DeniedError as error:
            self.denied = True
            self._let_go(error.sentence)
            return
        except ServerError as error:
            if log.link.is_lost:
                raise
            # Not known whether it landed; the entry itself tells at the next step.
            self.problem = error.sentence
            if not self.held:
                self._unanswered += 1
                if not self._revision or self._unanswered >= UNANSWERED_LOOKS:
                    await self._look(lease)
            return
        self.problem = ""
        self._unanswered = 0
        if revision is None:
            await self._look(lease)
            return
        self._revision, self._valid_until = revision, asked + _TRUSTED_S
        self._know(self.me)

    async def _look_for_rebuilds(self, log: EventLog) -> None:
        for projection, known in self._rebuilders.items():
            found = await Lease(log.link, rebuild_key(projection)).read()
            # What this process rebuilds, it pauses its own projector for.
            other = None if found is None or found[0].instance == self.me.instance else found[0]
            if other != known:
                self._rebuilders[projection] = other
                self._changed.set()
                self._notify()

    async def _own_revision(self, lease: Lease) -> int:
        """The revision at which the lease says that it is ours; 0 when it does not."""
        found = await lease.read()
        return found[1] if found is not None and found[0] == self.me else 0

    async def _look(self, lease: Lease) -> None:
        """It is not ours, or not at the revision that we know: see whose it is."""
        try:
            found = await lease.read()
        except ConnectionLostError:
            raise
        except ServerError as error:
            self._let_go(error.sentence)
            return
        if found is not None and found[0] == self.me:
            # Nothing is known of its time to live until it was renewed at this revision.
            self._revision = found[1]
            return
        self._let_go()
        self._know(None if found is None else found[0])

    def _let_go(self, problem: str = "") -> None:
        self._revision, self._valid_until, self.problem = 0, 0.0, problem
        self._know(None)

    def _know(self, holder: Holder | None) -> None:
        changed = holder != self.holder
        self.holder = holder
        self._changed.set()
        if changed:
            self._notify()

    async def _give_back(self, log: EventLog, lease: Lease) -> None:
        revision, self._revision, self._valid_until = self._revision, 0, 0.0
        self.holder = None
        self._changed.set()
        if revision and not log.link.is_lost:
            try:
                await lease.release(revision)
            except ServerError:
                # It runs out by itself within three seconds.
                return


@asynccontextmanager
async def rebuilding(log: EventLog, projection: str, instance: str) -> AsyncIterator[None]:
    """Be the one process that writes a rebuild of a projection; waits until no other one does.

    The projectors of other processes see it within a second, and keep still. Raises DeniedError
    when the server forbids us the lease.
    """
    keeper = LeaseKeeper(instance, key=rebuild_key(projection))
    keeping = asyncio.create_task(keeper.run(log))
    acquiring = asyncio.create_task(keeper.acquired())
    try:
        await asyncio.wait({keeping, acquiring}, return_when=asyncio.FIRST_COMPLETED)
        # Without the other it is over only when it failed.
        await (acquiring if acquiring.done() else keeping)
        yield
    finally:
        for task in (keeping, acquiring):
            task.cancel()
        await asyncio.gather(keeping, acquiring, return_exceptions=True)
