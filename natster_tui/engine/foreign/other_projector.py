"""The consumer with which another program projects a bucket: its lag, and where it is stuck.

Its state is only read; nothing of another program is changed here.
"""

from __future__ import annotations

from dataclasses import dataclass

from natster_tui.errors import DeniedError
from natster_tui.store.connection.consumers import ConsumerInfo, consumer_named
from natster_tui.store.connection.streams import next_message
from natster_tui.store.connection.together import together
from natster_tui.store.log import EventLog
from natster_tui.text.masking import screen_text

_FILTERS_ASKED = 5
"""The most filters of a consumer that are searched for the event it is stuck at."""


@dataclass(frozen=True, slots=True)
class OtherProjector:
    """A consumer of the log that is named like a bucket, and not ours.

    `stuck_at` is the sequence of the first event that was redelivered and is not acknowledged, 0
    for none, and `stuck_type` is that event's type.
    """

    consumer: ConsumerInfo
    stuck_at: int = 0
    stuck_type: str = ""

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
        """Events that were delivered more than once, and are not acknowledged."""
        return self.consumer.redelivered

    @property
    def complete_to(self) -> int:
        """The sequence up to which its documents should be complete."""
        has_one_in_hand = self.consumer.unacknowledged > 0
        return self.consumer.position - (1 if has_one_in_hand else 0)

    @property
    def figures(self) -> str:
        """Lag, redeliveries and where it is stuck, in a few words."""
        words = f"lag {self.lag:,}"
        if self.redelivered:
            words += f", {self.redelivered:,} redelivered"
        if self.stuck_at:
            words += f", stuck at event {self.stuck_at:,} ({self.stuck_type})"
        return words


async def read_other_projector(log: EventLog, bucket: str) -> OtherProjector | None:
    """The consumer that another program has for a bucket; None if none is found."""
    try:
        consumer = await consumer_named(log.link, log.stream, bucket)
    except DeniedError:
        # A user who only observes may lack this permission; everything else works without it.
        return None
    if consumer is None or consumer.is_ours:
        return None
    if not (consumer.redelivered and consumer.unacknowledged):
        return OtherProjector(consumer)
    return OtherProjector(consumer, *await _stuck_event(log, consumer))


async def _stuck_event(log: EventLog, consumer: ConsumerInfo) -> tuple[int, str]:
    """The sequence and the type of the first event after the last acknowledged one."""
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
