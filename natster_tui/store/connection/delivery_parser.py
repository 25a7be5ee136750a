"""Parsing a consumer's deliveries in bulk, instead of with nats-py's own parser.

For each message nats-py matches a regular expression, awaits a coroutine, and decodes fields that
we do not need. A replay reads millions of messages. `DeliveryParser` walks the bytes from the
socket, and hands over all messages of a raw subscription at once. If the last one is incomplete, it
reads its line, and the stock parser waits for the rest. Everything else (messages of other
subscriptions, PING, INFO, errors) goes to the stock parser; this one takes over at the next line.

The stock parser never reads the line of an event. An event's subject may hold any byte except
blanks and line ends, but nats-py ends a word at a vertical tab or a form feed. One such event would
disconnect every reader.

Both parsers get only bytes that can be the NATS protocol. These are protocol errors: a size that is
not a number, a message that does not end where its size says, one larger than any server sends, a
line without an end, and an INFO that makes no sense. nats-py then closes the connection, before
memory is allocated. It keeps no reason, so `problem` does.

This relies on six of nats-py's internals (`Client._ps`, and the parser's `buf`, `state`, `needed`,
`header_needed` and `msg_arg`). If one is not as expected (`replace_parser` checks), the stock
parser stays, and the same messages reach the same sinks one by one, through
`WireClient._process_msg`.
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
"""The callback of a raw subscription, with the messages that arrived together, in order."""

LONGEST_LINE = 1024 * 1024
"""Bytes. A subject takes a few thousand, and the INFO of a large cluster more."""

LARGEST_FRAME, LARGEST_FRAME_EVER = 64 * 1024 * 1024, 256 * 1024 * 1024
"""The largest message of a server with the usual limits, and of any server, in bytes.

They are larger than `max_payload`: an answer holds a message in base64, or all deleted sequences,
and a stream may hold messages from when the limit was higher.
"""

_CRLF = b"\r\n"
_END = len(_CRLF)
_HMSG, _MSG = b"HMSG", b"MSG"
_MESSAGES = (_HMSG, _MSG)
_ERROR = b"-ERR '"
_HMSG_WITH_REPLY, _MSG_WITH_REPLY = 6, 5
"""Words in `HMSG subject sid reply header_size size` and in `MSG subject sid reply size`."""

_LONGEST_SIZE = 12
"""The most digits of a number; Python refuses to convert thousands of them."""

_SIZES_KEPT = 10_000


class _Sizes(dict[bytes, int]):
    """The sizes that were met, by their digits: most messages are as large as others.

    Raises ValueError for what is not a size.
    """

    def __missing__(self, digits: bytes) -> int:
        if not digits.isdigit() or len(digits) > _LONGEST_SIZE:
            raise ValueError
        size = int(digits)
        if len(self) < _SIZES_KEPT:
            self[digits] = size
        return size


class DeliveryParser(stock.Parser):
    """nats-py's parser, with messages for `sinks` (by subscription id) taken out in bulk."""

    def __init__(self, client: Any, sinks: dict[int, Sink]) -> None:
        super().__init__(client)
        self._sinks = sinks
        self._sizes = _Sizes()
        self.problem = ""
        """Why the bytes were refused; empty if they were not."""

    async def parse(self, data: bytes = b"") -> None:
        """Parse the messages of sinks, and leave the rest to nats-py, in order."""
        while True:
            if self.state == stock.AWAITING_MSG_PAYLOAD:
                # nats-py is in the middle of a message, and gets the rest of it.
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
                # nats-py lower-cases the server's errors, including subjects.
                text = data[len(_ERROR) - 1 : end].decode("utf-8", "replace")
                await self.nc._process_err(text.strip())
            else:
                await self._parse_stock(data[:end])
            data = data[end:]
        if data:
            # An incomplete line or message: nats-py keeps it until there is more.
            await self._parse_stock(data)

    async def _parse_stock(self, data: bytes) -> None:
        try:
            await super().parse(data)
        except OSError:
            raise
        except Exception as error:
            # nats-py would only log it, and leave the connection broken.
            self._refuse("what is not the NATS protocol", error)
        if self.buf and self.state == stock.AWAITING_CONTROL_LINE and data.endswith(_CRLF):
            # nats-py neither reads nor refuses a long line; it waits for more.
            self._refuse("what is not the NATS protocol")

    # -- refusing --------------------------------------------------------------------------

    def _refuse(self, what: str, error: Exception | None = None) -> NoReturn:
        self.problem = f"the server sent {what}"
        raise ProtocolError from error

    def _check_line(self, line: bytes, size: int) -> None:
        """Check the next line; it is empty while its end is not among the `size` bytes read."""
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
        """Check the bytes that complete a message."""
        if not (bytes(self.buf[-1:]) + rest).endswith(_CRLF):
            self._refuse("a message that does not end where its size says")

    @property
    def _largest_frame(self) -> int:
        announced = getattr(self.nc, "max_payload", 0)
        twice = 2 * announced if isinstance(announced, int) else 0
        return min(max(LARGEST_FRAME, twice), LARGEST_FRAME_EVER)

    # -- parsing ---------------------------------------------------------------------------

    def _take(self, data: bytes) -> int:
        """Hand over the complete messages for sinks at the beginning; returns their length.

        Stops before anything unexpected, and leaves it to `_check_line` and `_check_end`.
        """
        find, ends_at, last, sizes = data.find, data.startswith, len(data) - _END, self._sizes
        taken: list[Delivery] = []
        sid, sink = b"", None
        at = 0
        with suppress(ValueError):  # a word too many or too few, or not a size
            while (end := find(_CRLF, at)) >= 0:
                try:
                    verb, subject, to, reply, head, total = data[at:end].split(b" ")
                    begin = end + _END
                    body = begin + sizes[head]
                    block: bytes | None = data[begin:body]
                    headed = True
                except ValueError:
                    verb, subject, to, reply, total = data[at:end].split(b" ")
                    body = begin = end + _END
                    block, headed = None, False
                stop = begin + sizes[total]
                if verb != (_HMSG if headed else _MSG):
                    break
                if to != sid:
                    if (other := self._sinks.get(int(to))) is None:
                        break
                    if sink is not None:
                        sink(taken)
                        taken = []
                    sid, sink = to, other
                if stop > last or body > stop or not ends_at(_CRLF, stop):
                    break
                taken.append((subject, reply, data[body:stop], block))
                at = stop + _END
        if sink is not None and taken:
            sink(taken)
        return at

    def _begin(self, data: bytes) -> int:
        """Let the stock parser wait for the rest of a sink's message; returns the line's length."""
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
    """Put a `DeliveryParser` into a new client; returns False if it does not fit."""
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
