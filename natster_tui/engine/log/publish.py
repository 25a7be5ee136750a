"""Publishing an event: validated against the present state, appended under an expectation.

The newest sequence that matters is read first. Then the log is folded up to its head, and the event
is appended only if nothing newer of its kind was stored since. So of two writers that decide on the
same state, only one succeeds.
"""

from __future__ import annotations

import asyncio
import secrets

from natster_tui.engine.rebuilding.replay import replay
from natster_tui.errors import RefusedError
from natster_tui.events.event import MESSAGE_ID
from natster_tui.projections.append_rules import Proposal, form_problem, state_problem
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.log import Append, EventLog
from natster_tui.store.tasks import end_all


async def publish(log: EventLog, proposal: Proposal, instance: str) -> int:
    """Append the proposed event and return its sequence.

    Raises RefusedError if the state does not permit it, ConflictError if another writer was first,
    MisplacedWriteError if it would not be stored in this log.
    """
    # The tokens become a subject filter, so they are checked first.
    if problem := form_problem(proposal):
        raise RefusedError(f"not published: {problem.sentence}")
    confirming = asyncio.create_task(log.confirm(proposal.subject))
    try:
        expected = await log.last_of_subject(proposal.expected_subject)
        info = await log.refresh()
        now = await replay(log, [ACCOUNTS, CATALOGS], info.last_seq, instance)
        states = now.folds[ACCOUNTS.name].states, now.folds[CATALOGS.name].states
        if problem := state_problem(proposal, *states):
            raise RefusedError(f"not published: {problem.sentence}")
        await confirming
    finally:
        await end_all([confirming])
    message = Append(
        proposal.subject, proposal.payload, ((MESSAGE_ID, f"tui-{secrets.token_hex(12)}"),)
    )
    return await log.append(
        message, expected_last=expected, expected_subject=proposal.expected_subject
    )
