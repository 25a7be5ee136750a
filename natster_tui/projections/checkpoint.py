"""The checkpoint: a projection's position in the log, stored in the bucket of its documents.

Key `_checkpoint`, always plain JSON: `{"seq","version","log":{"stream","created","time"},
"tombstones","parked":{"count","recent"},"rebuild":{"to","id"}}`. `rebuild` is there only while a
rebuild is under way. `"touched":true` is added when another program has written to the bucket,
until the next rebuild.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from natster_tui.events.parking import ParkedEvent, ParkedTally, ParkReason
from natster_tui.text.masking import screen_text

NO_TOMBSTONES = ""
"""The digest that stands for "nothing was ever erased"."""


class BadCheckpointError(ValueError):
    """The stored bytes are not a checkpoint."""


@dataclass(frozen=True, slots=True)
class RebuildMark:
    """A rebuild to sequence `to` has begun and not ended."""

    to: int
    id: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The position of a projection, and the log that it is derived from.

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
        """The stored form, made without a model because each commit writes it."""
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
        return orjson.dumps(value)


def decode_checkpoint(stored: bytes) -> Checkpoint:
    """The checkpoint that stored bytes hold; raises BadCheckpointError if they hold none."""
    try:
        read = _Stored.model_validate_json(stored)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadCheckpointError(
            screen_text(f"{where}: {first['msg']}" if where else first["msg"], 200)
        ) from error
    mark = read.rebuild
    return Checkpoint(
        seq=read.seq,
        version=read.version,
        log_stream=read.log.stream,
        log_created=read.log.created,
        log_time=read.log.time,
        tombstones=read.tombstones,
        parked=ParkedTally(
            read.parked.count,
            tuple(ParkedEvent(each.seq, each.reason) for each in read.parked.recent),
        ),
        rebuild=None if mark is None else RebuildMark(mark.to, mark.id),
        touched=read.touched,
    )


_Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    """Known fields are strictly typed, and those that a later version adds are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)


class _Log(_Part):
    stream: str
    created: str
    time: str


class _ParkedEvent(_Part):
    seq: _Count
    reason: ParkReason


class _Parked(_Part):
    count: _Count
    recent: tuple[_ParkedEvent, ...]


class _Mark(_Part):
    to: _Count
    id: str


class _Stored(_Part):
    """The stored form."""

    seq: _Count
    version: _Count
    log: _Log
    tombstones: str
    parked: _Parked
    rebuild: _Mark | None = None
    touched: bool = False
