"""Parsing what a consumer delivers in bulk, in the place of nats-py's own parser.

nats-py matches a regular expression for each message, awaits a coroutine for it, and decodes what
nobody asked for. A replay reads millions: `DeliveryParser` walks the bytes as they came from the
socket and hands all messages of a raw subscription over at once. Of one that is cut by the end of
the bytes it reads the line, and leaves the stock parser to wait for the rest. Everything else
(another subscription's message, PING, INFO, errors) goes to the stock parser, from which this one
takes over at the next line.

The line of an event is never the stock parser's to read: its subject may hold any byte but
blanks and line ends, and to nats-py a vertical tab or a form feed in it ends a word. Whoever may
publish one event could so cut off everybody who reads it.

It relies on six of nats-py's internals (`Client._ps`, and the parser's `buf`, `state`, `needed`,
`header_needed` and `msg_arg`). Where they are not as expected (`replace_parser` looks) the stock
parser stays, and the same messages reach the same sinks through `WireClient._process_msg`, one by
one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nats.protocol import parser as stock

Delivery = tuple[bytes, bytes, bytes, bytes | None]
"""Subject, reply, payload, and header block (None: no headers)."""

Sink = Callable[[list[Delivery]], None]
"""What a raw subscription calls with the messages that arrived together, in order."""

_CRLF = b"\r\n"
_MESSAGES = (b"HMSG", b"MSG")
_ERROR = b"-ERR "
_HMSG_WITH_REPLY, _MSG_WITH_REPLY = 6, 5
"""Words in `HMSG subject sid reply header_size size` and in `MSG subject sid reply size`."""


class DeliveryParser(stock.Parser):
    """nats-py's parser, with messages for `sinks` (by subscription id) taken out in bulk."""

    def __init__(self, client: Any, sinks: dict[int, Sink]) -> None:
        super().__init__(client)
        self._sinks = sinks

    async def parse(self, data: bytes = b"") -> None:
        """Take what a sink gets, and leave the rest to nats-py, in the order of the bytes."""
        while True:
            if self.state == stock.AWAITING_MSG_PAYLOAD:
                # nats-py is inside a message: what is missing of it is nats-py's.
                end = self.needed + len(_CRLF) - len(self.buf)
            else:
                if self.buf:
                    data = bytes(self.buf) + data
                    self.buf.clear()
                data = data[self._take(data) :]
                if begun := self._begin(data):
                    data = data[begun:]
                    continue
                line = data.find(_CRLF)
                end = line + len(_CRLF) if line >= 0 else 0
            if not 0 < end <= len(data):
                break
            if self.state != stock.AWAITING_MSG_PAYLOAD and data.startswith(_ERROR):
                # nats-py lower-cases what the server says, subjects too.
                text = data[len(_ERROR) : end].decode("utf-8", "replace")
                await self.nc._process_err(text.strip())
            else:
                await super().parse(data[:end])
            data = data[end:]
        if data:
            # Not a whole line, or not all of a message: nats-py keeps it until there is more.
            await super().parse(data)

    def _take(self, data: bytes) -> int:
        """Hand over the complete messages for sinks that the bytes begin with; their length."""
        sinks, find, size = self._sinks, data.find, len(data)
        taken: list[Delivery] = []
        sid, sink = b"", None
        at = 0
        with suppress(ValueError):  # a size that is none: nats-py gets the line, and says so
            while sinks and (end := find(_CRLF, at)) >= 0:
                words = data[at:end].split(b" ")
                headed = words[0] == b"HMSG"
                if len(words) != (_HMSG_WITH_REPLY if headed else _MSG_WITH_REPLY):
                    break
                if words[2] != sid:
                    if words[0] not in _MESSAGES or (to := sinks.get(int(words[2]))) is None:
                        break
                    if sink is not None:
                        sink(taken)
                        taken = []
                    sid, sink = words[2], to
                begin = end + len(_CRLF)
                stop = begin + int(words[-1])
                if sink is None or stop + len(_CRLF) > size:
                    break
                body = begin + int(words[4]) if headed else begin
                block = data[begin:body] if headed else None
                taken.append((words[1], words[3], data[body:stop], block))
                at = stop + len(_CRLF)
        if sink is not None and taken:
            sink(taken)
        return at

    def _begin(self, data: bytes) -> int:
        """Have the stock parser wait for a sink's message whose line is here; the line's length."""
        end = data.find(_CRLF)
        words = data[:end].split(b" ") if end >= 0 else []
        headed = words[:1] == [b"HMSG"]
        if len(words) != (_HMSG_WITH_REPLY if headed else _MSG_WITH_REPLY):
            return 0
        try:
            if words[0] not in _MESSAGES or int(words[2]) not in self._sinks:
                return 0
            self.header_needed = int(words[4]) if headed else 0
            self.needed = int(words[-1])
        except ValueError:
            return 0  # nats-py gets the line, and says so
        self.msg_arg = {"subject": words[1], "sid": int(words[2]), "reply": words[3]}
        self.state = stock.AWAITING_MSG_PAYLOAD
        return end + len(_CRLF)


def replace_parser(client: Any, sinks: dict[int, Sink]) -> bool:
    """Put a `DeliveryParser` into a client that was just made; False where it does not fit."""
    parser = getattr(client, "_ps", None)
    if (
        type(parser) is not stock.Parser
        or not {"buf", "state", "needed", "header_needed", "msg_arg"} <= vars(parser).keys()
        or not isinstance(parser.buf, bytearray)
        or not hasattr(stock, "AWAITING_MSG_PAYLOAD")
        or list(inspect.signature(stock.Parser.parse).parameters) != ["self", "data"]
        or not inspect.iscoroutinefunction(stock.Parser.parse)
    ):
        return False
    client._ps = DeliveryParser(client, sinks)
    return True
