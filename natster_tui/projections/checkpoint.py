"""The checkpoint: the position that counts, stored beside the documents it belongs to.

Key `_checkpoint` of the projection's bucket, always plain JSON:
`{"seq","version","log":{"stream","created","time"},"tombstones","parked":{"count","recent"},
"rebuild":{"to","id"}}`, the last only while a rebuild is under way; besides `"touched":true` from
when another program wrote to the bucket until a rebuild has put that right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from natster_tui.events.parking import ParkedEvent, ParkedTally, ParkReason
from natster_tui.text.masking import screen_text

NO_TOMBSTONES = ""
"""The digest that stands for "nothing was ever erased"."""


class BadCheckpointError(ValueError):
    """The stored checkpoint is not one."""


@dataclass(frozen=True, slots=True)
class RebuildMark:
    """Says that a rebuild to sequence `to` began and has not ended."""

    to: int
    id: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a projection is derived, and from which log.

    `log_time` is the stream time (RFC 3339) of the event at `seq`, empty at 0; `log_created`
    the stream's creation time. Together they show whether a log is still the same one.
    """

    seq: int
    version: int
    log_stream: str
    log_created: str
    log_time: str
    tombstones: str = NO_TOMBSTONES
    parked: ParkedTally = field(default_factory=ParkedTally)
    rebuild: RebuildMark | None = None
    touched: bool = False

    def marked(self, mark: RebuildMark | None) -> Checkpoint:
        """The same position with a rebuild's mark, or without one."""
        return replace(self, rebuild=mark)

    def encode(self) -> bytes:
        """The stored form."""
        value: dict[str, Any] = {
            "seq": self.seq,
            "version": self.version,
            "log": {
                "stream": self.log_stream,
                "created": self.log_created,
                "time": self.log_time,
            },
            "tombstones": self.tombstones,
            "parked": {
                "count": self.parked.count,
                "recent": [
                    {"seq": event.seq, "reason": event.reason.value} for event in self.parked.recent
                ],
            },
        }
        if self.rebuild is not None:
            value["rebuild"] = {"to": self.rebuild.to, "id": self.rebuild.id}
        if self.touched:
            value["touched"] = True
        return json.dumps(value, separators=(",", ":")).encode()


def decode_checkpoint(stored: bytes) -> Checkpoint:
    """The checkpoint that stored bytes hold; raises BadCheckpointError if they hold none."""
    try:
        value = json.loads(stored)
        log = value["log"]
        parked = value["parked"]
        mark = value.get("rebuild")
        return Checkpoint(
            seq=_count(value["seq"]),
            version=_count(value["version"]),
            log_stream=_text(log["stream"]),
            log_created=_text(log["created"]),
            log_time=_text(log["time"]),
            tombstones=_text(value["tombstones"]),
            parked=ParkedTally(
                _count(parked["count"]),
                tuple(
                    ParkedEvent(_count(event["seq"]), ParkReason(event["reason"]))
                    for event in parked["recent"]
                ),
            ),
            rebuild=None if mark is None else RebuildMark(_count(mark["to"]), _text(mark["id"])),
            touched=value.get("touched") is True,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadCheckpointError(screen_text(str(error), 200)) from error


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r} is not a count")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
