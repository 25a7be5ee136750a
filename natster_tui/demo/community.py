"""A made-up media-sharing community, as events: what `natster-tui demo` shows.

Each seed has one story, an endless sequence of events without times. A history is its beginning,
with times added afterwards. So the same seed gives the same events, however many of them are
history and whenever the demo is started.

All people and things in it are invented, secrets included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from natster_tui.demo.history_times import PART, ages
from natster_tui.demo.scenes import scenes_of
from natster_tui.demo.story import PlannedEvent, Story


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """One event to publish; `time` is unix seconds for a past one, None for a live one."""

    subject: str
    payload: bytes
    time: int | None = None


class DemoCommunity:
    """The community of a seed. All methods continue the same story."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._story = Story(seed)
        self._story.scenes = scenes_of(self._story)

    def history(self, count: int, end: int) -> list[DemoEvent]:
        """The next `count` events as the past: in order of time, the last at `end` (unix seconds).

        How long before `end` each one was depends on the seed and `count` alone.
        """
        return [event for part in self.history_in_parts(count, end) for event in part]

    def history_in_parts(self, count: int, end: int) -> Iterator[Sequence[DemoEvent]]:
        """The same history, a part at a time. An empty part is only a pause for the caller.

        Times are known after the last event is planned, so the pauses come first.
        """
        planned: list[PlannedEvent] = []
        while len(planned) < count:
            more = min(PART, count - len(planned))
            planned += [self._story.next_event() for _ in range(more)]
            yield []
        seconds_ago = yield from ages([event.pace for event in planned], self._seed)
        for start in range(0, count, PART):
            part = slice(start, start + PART)
            yield [
                DemoEvent(event.subject, event.payload, end - age)
                for event, age in zip(planned[part], seconds_ago[part], strict=True)
            ]

    def next_live(self) -> DemoEvent:
        """The next event, to happen now."""
        event = self._story.next_event()
        return DemoEvent(event.subject, event.payload)
