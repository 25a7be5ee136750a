"""Connecting a client to its server, within a limit; or the reason why that failed."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Protocol

import nats.errors

from natster_tui.errors import MalformedAnswerError
from natster_tui.store.connection.opening.client import (
    CredentialsError,
    NatsClient,
    OpeningError,
    Stage,
)
from natster_tui.store.connection.opening.failure import (
    ConnectFailure,
    connect_failure,
    credentials_error,
)
from natster_tui.store.connection.opening.limits import within
from natster_tui.store.connection.opening.login import connect_options
from natster_tui.store.settings.connection import ConnectionSettings

CONNECT_TIMEOUT = 4.0
"""Seconds for each server that is tried."""

_NOT_OPENED = (OpeningError, MalformedAnswerError, nats.errors.Error, OSError, ValueError)


class Listener(Protocol):
    """Receives the events of a client, from the first one on."""

    async def on_error(self, error: Exception) -> None:
        """The server reports an error, or the connection has one."""

    async def on_closed(self) -> None:
        """The connection has ended."""


async def connect(
    client: NatsClient, settings: ConnectionSettings, name: str, listener: Listener
) -> ConnectFailure | None:
    """Connect; returns the failure, or None.

    `name` is shown to the server's operators. Raises UsageError if the credentials cannot be used.
    """
    try:
        async with AsyncExitStack() as unless_connected:
            unless_connected.push_async_callback(client.give_up)
            await within(CONNECT_TIMEOUT, _connect(client, settings, name, listener))
            unless_connected.pop_all()
    except _NOT_OPENED as error:
        if isinstance(error, CredentialsError) or client.stage is Stage.PREPARING:
            raise credentials_error(settings, error) from error
        return connect_failure(client, settings, error)
    return None


async def _connect(
    client: NatsClient, settings: ConnectionSettings, name: str, listener: Listener
) -> None:
    await client.connect(
        servers=[client.address.url],
        name=name,
        error_cb=listener.on_error,
        closed_cb=listener.on_closed,
        disconnected_cb=listener.on_closed,
        **connect_options(settings),
    )
