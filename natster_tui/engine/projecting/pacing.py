"""How long a projector rests between two commits.

Each commit costs the same few milliseconds of the server's time however little it holds, and most
of our own, so a projector gathers some events before it commits again. How many is decided
by time, and the time by what was written last: `REST_PER_ENTRY_S` for each entry, but at least
`SHORTEST_REST_S` and never more than `LONGEST_REST_S`. This keeps the delay from event to document
short at every event rate:

- At 500 evenly spaced events a second a round takes some 10 ms, and almost half of the commits are
  saved that were made without a rest. An event that comes alone, after the rest, does not wait.
- At r events a second, two entries each, a round of t seconds writes 2rt entries, and then rests
  for a part of t that grows with r: a tenth of t at 1,000 events a second, half of it at 5,000. A
  round without a rest takes 5 to 10 ms, so it does not become longer than 10 to 20 ms.
- Above that rate the longest rest limits it.

Without `LONGEST_REST_S`, a large batch would cause a long rest, in which the next large batch
gathers. At 5,000 events a second, one late batch led to rests of 0.7 s that did not become shorter
until the events stopped, and half of the events waited for 0.5 s.
"""

from __future__ import annotations

REST_PER_ENTRY_S = 0.000_05
SHORTEST_REST_S, LONGEST_REST_S = 0.003, 0.025


def rest_after(entries: int, *, more_arrived: bool) -> float:
    """Seconds to rest after a batch that wrote `entries`.

    0 if it wrote nothing, or if more events have arrived already, so there is enough to gather.
    """
    if more_arrived or not entries:
        return 0.0
    return min(max(entries * REST_PER_ENTRY_S, SHORTEST_REST_S), LONGEST_REST_S)
