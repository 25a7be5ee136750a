"""Taking the projector's lease, keeping it, and knowing at once when it is gone.

One keeper for a workspace. Whoever holds the lease projects; the others watch and look each
second whether it became free, because its expiry makes no sound. A holder that could not renew
in time no longer counts as one, whatever the server might say later: a process that slept must
not commit when it wakes.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable

from natster_tui.domain.safe_text import safe_text
from natster_tui.errors import ConnectionLostError, DeniedError, ServerError
from natster_tui.store.lease import RENEW_S, TTL_S, Holder, LeaseBucket
from natster_tui.store.log import EventLog

_TRUSTED_S = TTL_S - 0.5
"""How long after asking for the last renewal the lease may be relied on."""


class LeaseKeeper:
    """The lease as this process sees it. `notify` is rung when that changes."""

    def __init__(self, instance: str, notify: Callable[[], None] = lambda: None) -> None:
        self.me = Holder(socket.gethostname(), os.getpid(), instance, int(time.time()))
        self.holder: Holder | None = None
        """Who holds it, as of the last look; None when nobody does, or nobody could be asked."""
        self.problem = ""
        """Why the lease cannot be had, when it is not simply somebody else's."""
        self.denied = False
        """Whether the server forbids us the lease, which no waiting will change."""
        self._notify = notify
        self._revision = 0
        self._valid_until = 0.0
        self._changed = asyncio.Event()
        self._decided = asyncio.Event()

    async def decided(self) -> None:
        """Until it is known for the first time on this link whether the lease is ours."""
        await self._decided.wait()

    @property
    def held(self) -> bool:
        """Whether this process may project right now."""
        return self._revision > 0 and time.monotonic() < self._valid_until

    @property
    def sentence(self) -> str:
        """Why this process does not project."""
        if self.problem:
            return f"only watching: {self.problem}"
        if self.holder is None:
            return "waiting for the projector's lease"
        who = f"{safe_text(self.holder.host, 60)}, process {self.holder.pid}"
        return f"watching: another dashboard projects ({who})"

    async def wait_for_change(self, held: bool) -> None:
        """Until `held` is no longer what it is said to be here."""
        while self.held == held:
            self._changed.clear()
            # Losing the lease by not renewing it in time is a change that nobody announces.
            left = self._valid_until - time.monotonic() if held else None
            try:
                # Not `wait_for`: until Python 3.12 it may swallow being cancelled.
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def run(self, log: EventLog) -> None:
        """Take and keep the lease until the link is lost; give it back when cancelled."""
        bucket = LeaseBucket(log.link)
        self._decided.clear()
        self._let_go()
        try:
            while True:
                await self._step(log, bucket)
                self._decided.set()
                await asyncio.wait({log.link.lost}, timeout=RENEW_S)
                if log.link.is_lost:
                    raise ConnectionLostError(log.link.lost_sentence())
        finally:
            await self._give_back(log, bucket)

    async def _step(self, log: EventLog, bucket: LeaseBucket) -> None:
        asked = time.monotonic()
        try:
            if self._revision == 0:
                await bucket.create(log.info.replicas)
            revision = await bucket.put(self.me, self._revision)
            if revision is None and (ours := await self._own_revision(bucket)):
                # A renewal whose answer was lost, or the lease as we held it on the last link.
                revision = await bucket.put(self.me, ours)
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
                await self._look(bucket)
            return
        self.problem = ""
        if revision is None:
            await self._look(bucket)
            return
        self._revision, self._valid_until = revision, asked + _TRUSTED_S
        self._know(self.me)

    async def _own_revision(self, bucket: LeaseBucket) -> int:
        """The revision at which the lease says that it is ours; 0 when it does not."""
        found = await bucket.read()
        return found[1] if found is not None and found[0] == self.me else 0

    async def _look(self, bucket: LeaseBucket) -> None:
        """It is not ours, or not at the revision that we know: see whose it is."""
        try:
            found = await bucket.read()
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

    async def _give_back(self, log: EventLog, bucket: LeaseBucket) -> None:
        revision, self._revision, self._valid_until = self._revision, 0, 0.0
        self.holder = None
        self._changed.set()
        if revision and not log.link.is_lost:
            try:
                await bucket.release(revision)
            except ServerError:
                # It runs out by itself within three seconds.
                return
