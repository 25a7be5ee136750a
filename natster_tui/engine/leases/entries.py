"""The entries of one lease on the server: reading, taking, renewing and removing them."""

from __future__ import annotations

import time
from collections.abc import Awaitable

from natster_tui.engine.leases.silent_entry import SilentEntry
from natster_tui.errors import ApiError, ServerError
from natster_tui.store.connection.api_codes import MESSAGE_TTL_DISABLED
from natster_tui.store.connection.reporting import notice
from natster_tui.store.connection.together import together
from natster_tui.store.lease import (
    BUCKET,
    TTL_S,
    Holder,
    Lease,
    LeaseKeys,
    LeaseState,
    allow_message_ttl,
)
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.maker import LEASES

_TRUSTED_S = TTL_S - 0.5
"""How long after asking for the last renewal the lease may be relied on."""


def unix_now() -> int:
    """The clock's unix seconds."""
    return int(time.time())


class LeaseEntries:
    """The entries that make up one lease, as of the last read.

    Call `begin` with the log of a link first; until then nothing is held.
    """

    def __init__(self, keys: LeaseKeys, me: Holder) -> None:
        self.keys = keys
        self.others: dict[str, Holder] = {}
        """The live entries of other processes that prevent us from writing, by key."""
        self.revisions: dict[str, int] = {}
        """The revisions of our own entries."""
        self.valid_until = 0.0
        """Until when (monotonic seconds) our entries may be relied on."""
        self.me = me
        """This process as its entries name it; `since` is when it last took them."""
        self._before = me
        """The same as of the time before, which an answer that is late may still have stored."""
        self._log: EventLog
        self._leases: dict[str, Lease] = {}
        self._silent: dict[str, SilentEntry] = {}
        self._asked = 0.0

    def begin(self, log: EventLog) -> None:
        """Start on a new link: nothing is known, and nothing is held."""
        self._log = log
        keys = dict.fromkeys((*self.keys.held, self.keys.former, self.keys.rebuild))
        self._leases = {key: Lease(log.link, key) for key in keys if key}
        self._silent = {key: SilentEntry() for key in self._leases}
        self.others = {}
        self.forget()

    # -- what is known ---------------------------------------------------------------------

    @property
    def are_ours(self) -> bool:
        """Whether all entries were ours at the last answer."""
        return len(self.revisions) == len(self.keys.held)

    @property
    def are_valid(self) -> bool:
        """Whether all entries are ours, and have not run out by our clock."""
        return self.are_ours and time.monotonic() < self.valid_until

    def silent_looks(self, key: str) -> int:
        """How often in a row an entry was found without a renewal."""
        return self._silent[key].looks

    # -- reading, taking, renewing ---------------------------------------------------------

    async def renew_or_take(self) -> None:
        """Renew our entries, or take them where they are free; `are_valid` is the outcome.

        Raises ServerError. After one that is not a refusal the entries may be ours or not.
        """
        self._asked = time.monotonic()
        if await self._renewed_or_taken():
            self.valid_until = self._asked + _TRUSTED_S

    async def _renewed_or_taken(self) -> bool:
        """Whether all entries are ours now, and release 0.1 does not hold the same lease."""
        held, renewals = self.keys.held, []
        if self.are_ours:
            renewals = [self._renewed(key) for key in held]
        # Together: on a slow link one after the other would be too late.
        results = await together(*renewals, *self._reads_of_foreign_entries())
        if self.keys.former not in held and self.keys.former in self.others:
            await self.release()
            return False
        if renewals and all(results[: len(renewals)]):
            return True
        return await self._take()

    def _reads_of_foreign_entries(self) -> list[Awaitable[None]]:
        """The requests for entries that are never ours."""
        keys = (self.keys.former, self.keys.rebuild)
        return [self._read(key) for key in keys if key and key not in self.keys.held]

    async def refresh(self) -> None:
        """Read which processes hold the entries, without taking any of them."""
        await together(*(self._read(key) for key in self._leases))

    async def _read(self, key: str) -> None:
        """Note another process's entry that prevents us from writing."""
        found = await self._leases[key].read()
        other = found.holder
        if other is not None and other.instance == self.me.instance:
            other = None  # this process pauses its own projector for its own rebuild
        elif other is not None and key == self.keys.former and other.version is not None:
            other = None  # a process of this release, which holds the account projection only
        if self._is_alive(key, found.revision, other) or other is None or key != self.keys.rebuild:
            return
        try:
            await self._leases[key].remove(found.revision)
        except ApiError:
            return  # another process was quicker
        notice(_taken_over(key, other))

    def _is_alive(self, key: str, revision: int, other: Holder | None) -> bool:
        """Whether another process holds an entry and renews it; updates `others`."""
        if self._silent[key].observe(revision, time.monotonic()) or other is None:
            self.others.pop(key, None)
            return False
        self.others[key] = other
        return True

    async def _renewed(self, key: str) -> bool:
        revision = await self._leases[key].put(self.me, self.revisions[key])
        if revision is not None:
            self.revisions[key] = revision
        return revision is not None

    async def _take(self) -> bool:
        """Take all entries if no live process holds one; returns whether they are ours now."""
        self.forget()
        held, ours = self.keys.held, (self.me, self._before)
        looks = dict(
            zip(held, await together(*(self._leases[key].read() for key in held)), strict=True)
        )
        # Ours already: the answer to a renewal was lost, or they were taken over the last link.
        self.revisions = {
            key: found.revision for key, found in looks.items() if found.holder in ours
        }
        free = True
        for key, found in looks.items():
            other = None if key in self.revisions else found.holder
            free = not self._is_alive(key, found.revision, other) and free
        if not free:
            await self.release()
            return False
        if not all(found.bucket for found in looks.values()):
            await self._log.buckets.make(LEASES)
        if not self.revisions:
            self._before, self.me = self.me, self.me.model_copy(update={"since": unix_now()})
        # Before the clock starts: a confirmation may take a second of the time to live.
        await self._leases[held[0]].confirm()
        self._asked = time.monotonic()
        return await self._put_all(looks)

    async def _put_all(self, looks: dict[str, LeaseState]) -> bool:
        """Write all entries under the revisions that were read; returns False on a conflict."""
        for key, found in looks.items():
            revision = await self._put(self._leases[key], found.revision)
            if revision is None:
                # Another process was first; the next read shows which one.
                await self.release()
                return False
            self.revisions[key] = revision
            if found.holder not in (None, self.me, self._before):
                notice(_taken_over(key, found.holder))
        return True

    async def _put(self, lease: Lease, expected: int) -> int | None:
        try:
            return await lease.put(self.me, expected)
        except ApiError as error:
            if error.code != MESSAGE_TTL_DISABLED:
                raise
        if await allow_message_ttl(self._log.link):
            notice(f"{BUCKET} was made without message TTL: it has it now, as leases need it")
        return await lease.put(self.me, expected)

    # -- losing them -----------------------------------------------------------------------

    def forget(self) -> None:
        """Treat none of our entries as held any more, whatever the server has."""
        self.revisions, self.valid_until = {}, 0.0

    async def release(self) -> None:
        """Remove our entries, the last one taken first."""
        revisions = [
            (key, self.revisions[key]) for key in reversed(self.keys.held) if key in self.revisions
        ]
        self.forget()
        for key, revision in revisions:
            if self._log.link.is_lost:
                return
            try:
                await self._leases[key].remove(revision)
            except ServerError:
                continue  # it runs out by itself within three seconds


def _taken_over(key: str, holder: Holder) -> str:
    """The notice for an entry whose holder no longer renews it."""
    return (
        f"the entry {key} in {BUCKET} ({holder.described}) was no longer renewed, and would have "
        "been held for ever: it was taken over"
    )
