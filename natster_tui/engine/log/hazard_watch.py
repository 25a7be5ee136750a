"""All hazards of a log and of its projections, from the server and from live events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from natster_tui.engine.log.repeated_ids import RepeatedIds
from natster_tui.events.event import Record
from natster_tui.events.log.hazards import (
    Fill,
    Hazard,
    clear_secrets,
    hazards_of,
    keys_problem,
    nearest_limit,
    old_server,
)
from natster_tui.events.system import EventSystem
from natster_tui.projections.api import Projection
from natster_tui.store.connection.together import for_each, together
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.account import account_fill, account_if_permitted
from natster_tui.store.provisioning.maker import projection_spec
from natster_tui.store.provisioning.retention import read_bucket_hazards


class HazardWatch:
    """The hazards of one log. `repeated_ids` are those that were found in it so far."""

    def __init__(
        self, projections: Sequence[Projection[Any]], repeated_ids: RepeatedIds | None = None
    ) -> None:
        self.repeated_ids = repeated_ids or RepeatedIds()
        self._projections = projections
        self._clear = 0
        self._buckets: tuple[Hazard, ...] = ()
        self._of_account: Fill | None = None
        self._room: Hazard | None = None

    async def refresh(self, log: EventLog) -> None:
        """Ask the server for the hazards that the log's own settings do not show."""
        clear, _ = await together(log.clear_payload(), self.refresh_storage(log))
        self._clear = self._clear or clear

    async def refresh_storage(self, log: EventLog) -> None:
        """Read the settings of the projections' buckets, and how full the account is."""
        buckets = [each.bucket for each in self._projections]
        found, account = await together(
            for_each(partial(read_bucket_hazards, log.link), buckets),
            account_if_permitted(log.link),
        )
        self._buckets = tuple(hazard for hazards in found for hazard in hazards or ())
        self._of_account = account_fill(account, log.info)
        self._room = None
        if account is not None:
            missing = [
                projection_spec(each.bucket, each.beside)
                for each, hazards in zip(self._projections, found, strict=True)
                if hazards is None
            ]
            self._room = log.buckets.room_hazard(missing, account)

    def fill(self, log: EventLog) -> Fill | None:
        """How full the log is against its nearest limit; None if it has none."""
        return nearest_limit(log.info, self._of_account)

    def add_live(self, records: Iterable[Record], system: EventSystem) -> None:
        """Check live events, in order, each once."""
        records = list(records)
        self.repeated_ids.add(records)
        if not self._clear:
            ends = tuple(f".{kind.name}" for kind in system.needing_payload)
            self._clear = next(
                (
                    each.seq
                    for each in records
                    if each.seal is None and each.payload and each.subject.endswith(ends)
                ),
                0,
            )

    def add_replayed(self, found: RepeatedIds) -> None:
        """Add the repeated ids that a read of the whole log found."""
        self.repeated_ids.continue_from(found)

    def hazards(self, log: EventLog) -> tuple[Hazard, ...]:
        """All hazards known so far."""
        clear = (clear_secrets(self._clear),) if self._clear else ()
        repeated = self.repeated_ids.hazard
        link, keyring = log.link, log.sealing.keyring
        loses_keys = "" if keyring is None else keyring.bucket.hazard
        return (
            *hazards_of(log.info, self._of_account),
            *clear,
            *self._buckets,
            *((self._room,) if self._room else ()),
            *((repeated,) if repeated else ()),
            *(() if link.info.has_atomic_batches else (old_server(link.info.version_described),)),
            *map(keys_problem, log.sealing.problems),
            *((keys_problem(loses_keys),) if loses_keys else ()),
        )
