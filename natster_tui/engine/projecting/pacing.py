"""How long a projector rests between two commits.

Each commit costs the same few milliseconds of the server's time however little it holds, so when
thousands of events come in, a projector gathers some before it commits again. How many is decided
by time, and the time by what was written last: `REST_PER_ENTRY_S` for each entry, and never more
than `LONGEST_REST_S`. Both limits keep the delay from event to document short at every event rate:

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
SHORTEST_REST_S, LONGEST_REST_S = 0.001, 0.025


def rest_after(entries: int, *, more_arrived: bool) -> float:
    """Seconds to rest after a batch that wrote `entries`.

    0 if more events have arrived already, so there is enough to gather, or if the rest would be too
    short to gather anything.
    """
    rest = min(entries * REST_PER_ENTRY_S, LONGEST_REST_S)
    return 0.0 if more_arrived or rest < SHORTEST_REST_S else rest
