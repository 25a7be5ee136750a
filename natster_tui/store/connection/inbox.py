"""A subscription whose messages arrive unparsed, on an inbox of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nats.errors

if TYPE_CHECKING:
    from natster_tui.store.connection.link import Link


class RawInbox:
    """A subscription made with `Link.subscribe_raw`."""

    def __init__(self, link: Link, prefix: str, subscription: Any) -> None:
        self.prefix = prefix
        self._link = link
        self._subscription = subscription

    async def close(self) -> None:
        """Stop listening; does nothing if the link is lost."""
        self._link.client.detach(self._subscription._id)
        if not self._link.is_lost:
            try:
                await self._subscription.unsubscribe()
            except (nats.errors.Error, OSError) as error:
                self._link.on_problem(str(self._link.failure(error)))
