"""Making a version that is stored beside a projection the stored one.

A promotion is a rebuild of the stored bucket by the version's rule. The documents of the version
beside are proof that the rule works; they are not copied. All entries of a document change in one
batch, so readers see it as one version made it, or as the other did. A
promotion that is interrupted leaves the mark of an interrupted rebuild. The next projector of
either version finishes it with its own rule, and promoting again starts over.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from natster_tui.engine.projecting.stored_projection import stored_checkpoint
from natster_tui.engine.rebuilding.confirming import Decision, Request
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.engine.rebuilding.rebuild import Pause, Rebuild, no_pause
from natster_tui.engine.rebuilding.replay import OnProgress
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.engine.versions.comparing import compare_versions
from natster_tui.engine.versions.finding import VersionPair
from natster_tui.engine.versions.reaching import wait_until_stored
from natster_tui.engine.versions.side_by_side import SideBySide
from natster_tui.errors import RefusedError
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.version_buckets import is_beside

REACH_S = 5.0
"""How long both versions may take to reach the head of the log as it was at the beginning."""


@dataclass(frozen=True, slots=True)
class PlannedPromotion:
    """What a promotion would change in the stored bucket.

    `compared` is how the versions differ; None if an earlier promotion was interrupted, because the
    stored bucket then holds documents of both.
    """

    candidate: Verdict
    compared: SideBySide | None
    rebuild: PlannedRebuild


class Promotion:
    """One promotion: `prepare` checks that it is possible and writes nothing, `commit` does it."""

    def __init__(
        self,
        log: EventLog,
        pair: VersionPair,
        instance: str,
        on_progress: OnProgress | None = None,
        *,
        pause: Pause = no_pause,
    ) -> None:
        """Raises UsageError if the rule of the version beside is not loaded here."""
        self._log = log
        self._pair = pair
        self._rule = pair.rule
        self._instance = instance
        self._on_progress = on_progress
        self._rebuild = Rebuild(
            log, WholeProjections((self._rule,)), instance, on_progress, pause=pause
        )

    async def prepare(self) -> PlannedPromotion:
        """Verify the version beside, compare it with the stored one, and plan the rebuild.

        Raises RefusedError if one of them lags or holds nothing, or if the version beside does not
        agree with the log.
        """
        pair = self._pair
        if not await is_beside(self._log.link, pair.bucket, pair.current.bucket):
            raise RefusedError(f"{pair.bucket} was not made by project {pair.name} --beside")
        interrupted = await self._refuse_lag()
        candidates = WholeProjections((pair.beside,))
        verifying = Rebuild(self._log, candidates, self._instance, self._on_progress)
        (candidate,) = await verifying.verify()
        if not candidate.good:
            raise RefusedError(
                f"version {pair.version} of {pair.name} is not promoted: it does not verify: "
                f"{candidate.sentence}"
            )
        compared = None
        if not interrupted:
            compared = await compare_versions(self._log, pair, self._instance)
        (plan,) = await self._rebuild.prepare()
        for error in self._rebuild.blocked.values():
            raise error.without_traceback()
        return PlannedPromotion(candidate, compared, plan)

    def decide(self, request: Request) -> Decision:
        """What must be confirmed before `commit`; the same as for any rebuild."""
        return self._rebuild.decide(request)

    async def commit(self) -> Verdict:
        """Rebuild the stored bucket by the version's rule, and verify it."""
        (verdict,) = await self._rebuild.commit()
        return verdict

    async def _refuse_lag(self) -> bool:
        """Wait until both are at the head; returns True for a stored one that is half rebuilt.

        Raises RefusedError if one of them does not get there.
        """
        head = (await self._log.refresh()).last_seq
        stored = await stored_checkpoint(self._log.link, self._rule)
        interrupted = stored is not None and stored.rebuild is not None
        until = time.monotonic() + REACH_S
        for projection in (self._pair.beside, *(() if interrupted else (self._rule,))):
            reached = await wait_until_stored(self._log, projection, head, until)
            if reached is None or reached.seq < head:
                where = (
                    "nothing is stored in it" if reached is None else f"it is at {reached.seq:,}"
                )
                raise RefusedError(
                    f"nothing is promoted: {projection.bucket} is behind the log, which is at "
                    f"{head:,}, and {where}: project it, then promote again"
                )
        return interrupted
