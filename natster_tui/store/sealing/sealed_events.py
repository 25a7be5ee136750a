"""Whether a log holds sealed events, without reading all of it."""

from __future__ import annotations

from natster_tui.errors import ApiError, DeniedError
from natster_tui.events.system import EventSystem
from natster_tui.events.tokens import NONE
from natster_tui.store.connection.api_codes import STREAM_NOT_FOUND
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import last_message, next_message
from natster_tui.store.sealing.envelope import is_sealed


async def holds_sealed_events(link: Link, system: EventSystem) -> bool:
    """Whether the oldest or the newest event about an account is sealed.

    False if that is not known: the log is gone, or we are not permitted to read it.
    """
    # Events about one account alone are those that have a payload to be sealed.
    stream, with_payload = system.stream, system.subject(target=NONE, catalog=NONE)
    try:
        newest = await last_message(link, stream, with_payload)
        if newest is None or is_sealed(newest.payload):
            return newest is not None
        oldest = await next_message(link, stream, 1, with_payload)
        return oldest is not None and is_sealed(oldest.payload)
    except DeniedError:
        return False
    except ApiError as error:
        if error.code == STREAM_NOT_FOUND:
            return False
        raise
