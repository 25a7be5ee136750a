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

Both parsers only get what can be the NATS protocol. A size that is no number, a message that does
not end where its size says, one larger than any server sends, a line without an end, and an INFO
that makes no sense are protocol errors: nats-py closes the connection, before memory is taken.
It keeps no reason; `problem` does.

It relies on six of nats-py's internals (`Client._ps`, and the parser's `buf`, `state`, `needed`,
`header_needed` and `msg_arg`). Where they are not as expected (`replace_parser` looks) the stock
parser stays, and the same messages reach the same sinks through `WireClient._process_msg`, one by
one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from nats.errors import ProtocolError
from nats.protocol import parser as stock
from pydantic import ValidationError

from natster_tui.store.connection.answers.reading import first_problem
from natster_tui.store.connection.answers.servers import ServerInfo

Delivery = tuple[bytes, bytes, bytes, bytes | None]
"""Subject, reply, payload, and header block (None: no headers)."""

Sink = Callable[[list[Delivery]], None]
"""What a raw subscription calls with the messages that arrived together, in order."""

LONGEST_LINE = 1024 * 1024
"""Bytes. A subject takes some thousand, the INFO of a large cluster some more."""

LARGEST_FRAME, LARGEST_FRAME_EVER = 64 * 1024 * 1024, 256 * 1024 * 1024
"""Bytes of a message from a server with the usual limits, and from any.

More than `max_payload`: an answer quotes a message in base64, or lists all deleted sequences, and
a stream may hold messages from when the limit was higher.
"""

_CRLF = b"\r\n"
_END = len(_CRLF)
_MESSAGES = (b"HMSG", b"MSG")
_ERROR = b"-ERR '"
_HMSG_WITH_REPLY, _MSG_WITH_REPLY = 6, 5
"""Words in `HMSG subject sid reply header_size size` and in `MSG subject sid reply size`."""

_LONGEST_SIZE = 12
"""Digits; Python refuses to convert thousands of them."""


class DeliveryParser(stock.Parser):
    """nats-py's parser, with messages for `sinks` (by subscription id) taken out in bulk."""

    def __init__(self, client: Any, sinks: dict[int, Sink]) -> None:
        super().__init__(client)
        self._sinks = sinks
        self.problem = ""
        """Why the bytes were refused, if they were."""

    async def parse(self, data: bytes = b"") -> None:
        """Take what a sink gets, and leave the rest to nats-py, in the order of the bytes."""
        while True:
            if self.state == stock.AWAITING_MSG_PAYLOAD:
                # nats-py is inside a message: what is missing of it is nats-py's.
                end = self.needed + _END - len(self.buf)
                if 0 < end <= len(data):
                    self._check_end(data[:end])
            else:
                if self.buf:
                    data = bytes(self.buf) + data
                    self.buf.clear()
                data = data[self._take(data) :]
                line = data.find(_CRLF)
                self._check_line(data[: max(line, 0)], len(data))
                if begun := self._begin(data):
                    data = data[begun:]
                    continue
                end = line + _END if line >= 0 else 0
            if not 0 < end <= len(data):
                break
            if self.state != stock.AWAITING_MSG_PAYLOAD and data.startswith(_ERROR):
                # nats-py lower-cases what the server says, subjects too.
                text = data[len(_ERROR) - 1 : end].decode("utf-8", "replace")
                await self.nc._process_err(text.strip())
            else:
                await self._parse_stock(data[:end])
            data = data[end:]
        if data:
            # Not a whole line, or not all of a message: nats-py keeps it until there is more.
            await self._parse_stock(data)

    async def _parse_stock(self, data: bytes) -> None:
        try:
            await super().parse(data)
        except OSError:
            raise
        except Exception as error:
            # nats-py would log it, and leave the connection half dead.
            self._refuse("what is not the NATS protocol", error)
        if self.buf and self.state == stock.AWAITING_CONTROL_LINE and data.endswith(_CRLF):
            # A long line that it neither reads nor refuses, but waits for more of.
            self._refuse("what is not the NATS protocol")

    # -- refusing --------------------------------------------------------------------------

    def _refuse(self, what: str, error: Exception | None = None) -> NoReturn:
        self.problem = f"the server sent {what}"
        raise ProtocolError from error

    def _check_line(self, line: bytes, size: int) -> None:
        """Look at the next line, empty while its end is not among the `size` bytes at hand."""
        if not line:
            if size > LONGEST_LINE:
                self._refuse("a line without an end")
            return
        words = line.split()
        verb = words[0] if words else b""
        if verb == b"INFO":
            try:
                ServerInfo.model_validate_json(line[len(b"INFO") :])
            except ValidationError as error:
                self._refuse(f"an INFO that makes no sense ({first_problem(error)})")
        elif verb in _MESSAGES:
            sizes = words[-2:] if verb == b"HMSG" else words[-1:]
            if not all(each.isdigit() and len(each) <= _LONGEST_SIZE for each in sizes):
                self._refuse("a message whose size is no number")
            if int(sizes[0]) > int(sizes[-1]):
                self._refuse("a message that is shorter than its headers")
            if int(sizes[-1]) > self._largest_frame:
                self._refuse(f"a message of {int(sizes[-1]):,} bytes")

    def _check_end(self, rest: bytes) -> None:
        """Look at what completes a message."""
        if not (bytes(self.buf[-1:]) + rest).endswith(_CRLF):
            self._refuse("a message that does not end where its size says")

    @property
    def _largest_frame(self) -> int:
        announced = getattr(self.nc, "max_payload", 0)
        twice = 2 * announced if isinstance(announced, int) else 0
        return min(max(LARGEST_FRAME, twice), LARGEST_FRAME_EVER)

    # -- taking ----------------------------------------------------------------------------

    def _take(self, data: bytes) -> int:
        """Hand over the complete messages for sinks that the bytes begin with; their length.

        It ends before whatever is odd, and leaves that to `_check_line` and `_check_end`.
        """
        sinks, find, ends_at, last = self._sinks, data.find, data.startswith, len(data) - _END
        taken: list[Delivery] = []
        sid, sink = b"", None
        at = 0
        with suppress(ValueError):  # a size that is none
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
                body = begin = end + _END
                stop = begin + int(words[-1])
                if sink is None or stop > last or not words[-1].isdigit():
                    break
                block = None
                if headed:
                    body += int(words[4])
                    block = data[begin:body]
                if not begin <= body <= stop or not ends_at(_CRLF, stop):
                    break
                taken.append((words[1], words[3], data[body:stop], block))
                at = stop + _END
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
            return 0  # nats-py gets the line
        self.msg_arg = {"subject": words[1], "sid": int(words[2]), "reply": words[3]}
        self.state = stock.AWAITING_MSG_PAYLOAD
        return end + _END


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
