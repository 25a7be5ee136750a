"""The consumer with which another program projects a bucket: how far it is, and where it is stuck.

The consumer is only read. Nothing of another program is changed here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from natster_tui.errors import DeniedError
from natster_tui.store.connection.consumers import ConsumerInfo, consumer_named
from natster_tui.store.connection.streams import next_message
from natster_tui.store.connection.together import together
from natster_tui.store.log import EventLog
from natster_tui.text.masking import screen_text

_FILTERS_ASKED = 5
"""Of a consumer with more filters, only the first ones are read."""


@dataclass(frozen=True, slots=True)
class OtherProjector:
    """A consumer of the log that is named like a bucket, and not ours.

    `lag` counts the events that it has not acknowledged, `redelivered` those that it was given
    more than once. `stuck_at` is the sequence of the first event that it does not acknowledge
    although it came again, 0 for none, and `stuck_on` what kind of event that is.
    """

    consumer: ConsumerInfo
    stuck_at: int = 0
    stuck_on: str = ""

    @property
    def name(self) -> str:
        """The name of the consumer."""
        return self.consumer.name

    @property
    def lag(self) -> int:
        """Events that it has not acknowledged."""
        return self.consumer.pending + self.consumer.unacknowledged

    @property
    def redelivered(self) -> int:
        """Events that it was given more than once, and has not acknowledged."""
        return self.consumer.redelivered

    @property
    def judged_to(self) -> int:
        """The sequence up to which what it stored should be up to date."""
        one_is_under_way = self.consumer.unacknowledged > 0
        return self.consumer.position - (1 if one_is_under_way else 0)

    @property
    def figures(self) -> str:
        """Lag, redeliveries and where it is stuck, in a few words."""
        words = f"lag {self.lag:,}"
        if self.redelivered:
            words += f", {self.redelivered:,} redelivered"
        if self.stuck_at:
            words += f", stuck at event {self.stuck_at:,} ({self.stuck_on})"
        return words


async def read_other_projector(log: EventLog, bucket: str) -> OtherProjector | None:
    """The consumer that another program has for a bucket; None without one, or where unseen."""
    try:
        consumer = await consumer_named(log.link, log.stream, bucket)
    except DeniedError:
        # A user who only watches may lack this permission; everything else works without it.
        return None
    if consumer is None or consumer.is_ours:
        return None
    if not (consumer.redelivered and consumer.unacknowledged):
        return OtherProjector(consumer)
    return OtherProjector(consumer, *await _stuck_event(log, consumer))


async def read_other_projectors(
    log: EventLog, buckets: Collection[str]
) -> dict[str, OtherProjector]:
    """The same for several buckets, by bucket."""
    found = await together(*(read_other_projector(log, bucket) for bucket in buckets))
    return {
        bucket: other for bucket, other in zip(buckets, found, strict=True) if other is not None
    }


async def _stuck_event(log: EventLog, consumer: ConsumerInfo) -> tuple[int, str]:
    """Sequence and kind of the first event behind all that was acknowledged."""
    asked = [
        next_message(log.link, log.stream, consumer.ack_floor + 1, each)
        for each in consumer.filters[:_FILTERS_ASKED] or (">",)
    ]
    try:
        found = [record for record in await together(*asked) if record is not None]
    except DeniedError:
        return 0, ""
    if not found:
        return 0, ""
    first = min(found, key=lambda record: record.seq)
    return first.seq, screen_text(first.subject.rsplit(".", 1)[-1], 60)
