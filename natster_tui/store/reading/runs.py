"""Reading runs of a consumer's deliveries in columns, for replays of millions of messages.

A delivery's reply subject ends in its position: `….stream_seq.consumer_seq.time_ns.pending`.
Splitting these positions one by one takes a third of the time that reading a log takes. Nearly all
deliveries come in runs: hundreds in a row with the same subject before the position, and consumer
sequences that count up by one. So a run is read as a whole: its reply subjects are joined and split
once, which gives one list of words, and each column is a slice of that list. The checks are those
for single messages, made on whole columns: the consumer sequences are compared with a range, and
the stream's sequences must ascend.

A run that fails any check is not read here at all. `StreamReader` then reads its deliveries one by
one, and finds the one that failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import lt

from natster_tui.events.event import StoredMessage
from natster_tui.store.connection.delivery_parser import Delivery

_CONSUMER_SEQ, _TIME, _PENDING = 1, 2, 3
"""How many words after the stream's sequence each of these stands."""


def read_run(
    deliveries: Sequence[Delivery], prefix: bytes, next_seq: int, consumer_seq: int
) -> tuple[list[StoredMessage], int]:
    """The messages of deliveries that follow each other, and how many are pending after them.

    Their reply subjects all begin with `prefix`, and consist of single words. `next_seq` is the
    least sequence that may come first, `consumer_seq` the consumer sequence before it. Returns no
    messages if any of them fails a check.
    """
    subjects, replies, payloads, blocks = zip(*deliveries, strict=True)
    first, width = prefix.count(b"."), replies[0].count(b".") + 1
    words = b".".join(replies).split(b".")
    count = len(deliveries)
    if len(words) != count * width or width <= first + _PENDING:
        return [], 0
    try:
        seqs = list(map(int, words[first::width]))
        consumer_seqs = list(map(int, words[first + _CONSUMER_SEQ :: width]))
        times = list(map(int, words[first + _TIME :: width]))
        pending = int(words[first + _PENDING - width])
    except ValueError:
        return [], 0
    if (
        consumer_seqs != list(range(consumer_seq + 1, consumer_seq + 1 + count))
        or seqs[0] < next_seq
        or not all(map(lt, seqs, seqs[1:]))
    ):
        return [], 0
    if None in blocks:
        blocks = tuple(map(_no_headers, blocks))
    return list(zip(seqs, times, subjects, payloads, blocks, strict=True)), pending


def _no_headers(block: bytes | None) -> bytes:
    return block or b""
