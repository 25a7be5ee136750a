"""Where connections come from: a named server, or the embedded one; and opening the log there.

The two differ in two ways. The embedded server may have to be started again before a connection,
because another process that has ended may have owned it. And on the embedded server a missing log
is created without `--create-log`, once its sentinel shows that the store is the right one.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeVar

from natster_tui.engine.projecting.stored_projection import stored_checkpoint
from natster_tui.errors import (
    ApiError,
    DeniedError,
    MissingLogError,
    ServerError,
    StoreProblemError,
    UnopenedEventError,
)
from natster_tui.events.system import EventSystem
from natster_tui.projections.registering.registry import BUILT_IN, Registry
from natster_tui.store.connection.api_codes import STREAM_NAME_IN_USE
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.opening.servers import ServerPool
from natster_tui.store.connection.reporting import notice_once, waiting_for
from natster_tui.store.connection.together import together
from natster_tui.store.embedded.server import (
    EmbeddedServer,
    acquire,
    acquire_temporary,
    refuse_to_make_log,
)
from natster_tui.store.embedded.store_watch import StoreProblem, StoreProblemKind
from natster_tui.store.log import EventLog, replicas_of_new_log
from natster_tui.store.log_config import LogSettings, settings_not_applied
from natster_tui.store.provisioning.log_size import choose_log_size
from natster_tui.store.provisioning.maker import BucketMaker
from natster_tui.store.provisioning.refusals import cannot_make_log
from natster_tui.store.sealing.choice import SealingChoice, keyring_for, sealing_with
from natster_tui.store.settings.connection import EMBEDDED, ConnectionSettings

PROGRAM = "natster-tui"

_RETRIES_AFTER_OWNER = 5
_LONGEST_RESTART_PAUSE_S = 60.0
_RESTART_PAUSE_RESET_S = 60.0
"""Seconds without a blocked store after which the pause between restarts is short again."""

_Result = TypeVar("_Result")


def new_instance() -> str:
    """A name for this run, for consumers and leases."""
    return secrets.token_hex(4)


@dataclass(frozen=True)
class LogChoice:
    """Which log to open, and whether to create it if it is missing."""

    system: EventSystem
    create: bool = False
    read_only: bool = False
    bucket_bytes: int | None = None
    """The size limit of a new projection bucket; None for as much as the account allows."""
    settings: LogSettings = field(default_factory=LogSettings)
    sealing: SealingChoice = field(default_factory=SealingChoice)
    projections: Registry = BUILT_IN
    """The projections of its events."""


class ServerSource(Protocol):
    """Where connections come from."""

    async def settings(self) -> ConnectionSettings:
        """The settings for the next connection; may start a server. Raises ServerError."""

    async def connect(self, settings: ConnectionSettings) -> Link:
        """Connect with settings that came from here; raises what `Link.open` raises."""

    async def open_log(self, link: Link, choice: LogChoice) -> EventLog:
        """The log that a link leads to; raises MissingLogError if it is missing and not created."""

    async def close(self) -> None:
        """Stop the server that this source started, if any."""

    def owner_has_ended(self) -> bool:
        """Whether the server had ended with another process, its owner, when this was closed."""

    async def store_problem(self) -> StoreProblem | None:
        """Why the embedded server cannot store; None if it can, or the server is not embedded."""

    async def restart_if_blocked(self, problem: StoreProblem) -> None:
        """Stop our server if only a restart lets it store again; `settings` starts it again."""


class NamedServer:
    """A server that runs already. `name` is shown to its operators for our connections."""

    def __init__(self, settings: ConnectionSettings, *, name: str = PROGRAM) -> None:
        self.named_by = settings
        """The settings that name the server."""
        self._name = name
        self.pool = ServerPool(settings.servers)
        """The servers that were named or advertised, the next one to try first."""

    async def settings(self) -> ConnectionSettings:
        """See `ServerSource`."""
        return self.named_by

    async def connect(self, settings: ConnectionSettings) -> Link:
        """See `ServerSource`. Advertised servers are remembered from link to link."""
        with waiting_for(f"waiting for a connection to {settings.described}"):
            return await Link.open(settings, name=self._name, pool=self.pool)

    async def open_log(self, link: Link, choice: LogChoice) -> EventLog:
        """See `ServerSource`."""
        return await _open_or_create(link, choice, choice.sealing, create=choice.create)

    async def close(self) -> None:
        """See `ServerSource`."""

    def owner_has_ended(self) -> bool:
        """See `ServerSource`."""
        return False

    async def store_problem(self) -> StoreProblem | None:
        """See `ServerSource`."""
        return None

    async def restart_if_blocked(self, problem: StoreProblem) -> None:
        """See `ServerSource`."""


class EmbeddedSource:
    """The server on a data directory: started here, or shared with the process that did.

    Without a directory the server is temporary: its data and keys are below `temporary_root`, if
    that is given, and are removed when it ends. `read_only` starts a server only on a store that
    holds a log.
    """

    def __init__(
        self,
        data_dir: Path | None,
        key_file: Path | None = None,
        *,
        read_only: bool = False,
        name: str = PROGRAM,
        temporary_root: Path | None = None,
    ) -> None:
        self.data_dir = data_dir
        self._temporary_root = temporary_root
        self._name = name
        self._key_file = key_file
        self._read_only = read_only
        self._server: EmbeddedServer | None = None
        self._owner_ended = False
        self._restart_after = 0.0
        self._restart_pause = 1.0

    async def settings(self) -> ConnectionSettings:
        """See `ServerSource`. Takes the server over when its owner has gone."""
        with waiting_for("waiting for the embedded server to start"):
            return await self._started()

    async def _started(self) -> ConnectionSettings:
        if self._server is None or not self._server.is_running():
            if self._server is not None:
                await self._server.close()
            if self._temporary_root is not None:
                self._server = await acquire(self._temporary_root, temporary=True)
            elif self.data_dir is None:
                self._server = await acquire_temporary()
            else:
                if self._read_only:
                    refuse_to_make_log(self.data_dir)
                self._server = await acquire(self.data_dir, key_file=self._key_file)
        return ConnectionSettings(
            servers=(self._server.url,), token=self._server.token, origin=EMBEDDED
        )

    async def connect(self, settings: ConnectionSettings) -> Link:
        """See `ServerSource`."""
        with waiting_for("waiting for a connection to the embedded server"):
            return await Link.open(settings, name=self._name)

    async def open_log(self, link: Link, choice: LogChoice) -> EventLog:
        """See `ServerSource`. The store was checked before its server started."""
        sealing = choice.sealing
        if self._server is not None:
            sealing = replace(sealing, key_file=self._server.key_file.path)
        log = await _open_or_create(link, choice, sealing, create=not choice.read_only)
        if self._server is not None:
            self._server.record_log(log.stream, log.info.created)
        return log

    async def close(self) -> None:
        """See `ServerSource`."""
        if self._server is not None:
            self._owner_ended = not self._server.is_running()
            await self._server.close()
            self._server = None

    def owner_has_ended(self) -> bool:
        """See `ServerSource`."""
        return self._owner_ended

    async def store_problem(self) -> StoreProblem | None:
        """See `ServerSource`."""
        if self._server is None:
            return None
        # A disk that has a problem may be slow.
        return await asyncio.to_thread(self._server.store_problem)

    async def restart_if_blocked(self, problem: StoreProblem) -> None:
        """See `ServerSource`. Restarts are rare: one does not cure a block that returns at once."""
        if self._server is None or not self._server.owned:
            return
        now = time.monotonic()
        if problem.kind is StoreProblemKind.BLOCKED and now >= self._restart_after:
            recurs = now < self._restart_after + _RESTART_PAUSE_RESET_S
            self._restart_pause = (
                min(2 * self._restart_pause, _LONGEST_RESTART_PAUSE_S) if recurs else 1.0
            )
            self._restart_after = now + self._restart_pause
            await self._server.close()


async def _open_or_create(
    link: Link, choice: LogChoice, sealing: SealingChoice, *, create: bool
) -> EventLog:
    keyring = keyring_for(link, choice.system, sealing)
    log, _ = await together(
        _open_or_create_stream(link, choice, sealing, create=create), keyring.refresh()
    )
    log.buckets = BucketMaker(
        link,
        replicas=log.info.replicas,
        log_limit=log.info.max_bytes,
        size=choice.bucket_bytes,
        sealed=sealing.seals(log.info),
        projections=choice.projections.all,
    )
    log.sealing = sealing_with(keyring, log.info, sealing, log.buckets)
    return log


async def _open_or_create_stream(
    link: Link, choice: LogChoice, sealing: SealingChoice, *, create: bool
) -> EventLog:
    try:
        log = await EventLog.open(link, choice.system)
    except MissingLogError:
        if not create or choice.read_only:
            await _refuse_deleted_log(link, choice)
            raise
    else:
        return _adopted(log, choice)
    try:
        settings = await _settings_of_new(link, choice, sealed=sealing.for_new_log)
        return await EventLog.create(link, choice.system, settings)
    except ApiError as error:
        if error.code != STREAM_NAME_IN_USE:
            raise cannot_make_log(choice.system.stream, error, settings.max_bytes) from error
        # Another process created it just now.
        return _adopted(await EventLog.open(link, choice.system), choice)


def _adopted(log: EventLog, choice: LogChoice) -> EventLog:
    """An existing log, unchanged; reports settings that were asked for and do not apply."""
    if names := settings_not_applied(choice.settings, log.info):
        verb = "is" if len(names) == 1 else "are"
        notice_once(
            f"the log {log.stream} exists and is used as it is: {', '.join(names)} of "
            f"--log-setting {verb} not applied"
        )
    return log


async def _settings_of_new(link: Link, choice: LogChoice, *, sealed: bool) -> LogSettings:
    """The settings of a new log; its size is chosen here if the user gave none."""
    settings = choice.settings.model_copy(update={"sealing": "on" if sealed else "off"})
    if "max_bytes" in choice.settings.model_fields_set:
        return settings
    size = await choose_log_size(
        link,
        choice.system.stream,
        replicas=replicas_of_new_log(link, settings),
        sealed=sealed,
        projections=choice.projections.all,
        bucket_bytes=choice.bucket_bytes,
    )
    return settings.model_copy(update={"max_bytes": size})


async def _refuse_deleted_log(link: Link, choice: LogChoice) -> None:
    """Raise MissingLogError with more detail if projections of the missing log are stored."""
    stored = []
    stream = choice.system.stream
    for projection in choice.projections:
        try:
            checkpoint = await stored_checkpoint(link, projection)
        except DeniedError:
            # Without the permission to look, report only that there is no log.
            return
        if checkpoint is not None and checkpoint.seq > 0 and checkpoint.log_stream == stream:
            stored.append(f"{projection.bucket} at {checkpoint.seq:,}")
    if stored:
        raise MissingLogError(
            f"the log {stream} is gone, although projections of it are stored "
            f"({', '.join(stored)}): restore the stream from a backup; a new log made with "
            "--create-log does not continue it, and its projections must be rebuilt"
        )


@asynccontextmanager
async def opened_log(source: ServerSource, choice: LogChoice) -> AsyncIterator[EventLog]:
    """A log for the length of one command."""
    link = None
    try:
        link = await source.connect(await source.settings())
        log = await source.open_log(link, choice)
        try:
            yield log
        except UnopenedEventError as error:
            if log.sealing.is_denied:
                # The server refuses; the stored data is not the reason.
                raise DeniedError(error.sentence) from error
            raise
    except ServerError as error:
        # The server never answers a write that it cannot store, and a timeout would not say why.
        problem = await source.store_problem()
        if problem is None:
            raise
        raise StoreProblemError(problem.sentence) from error
    finally:
        if link is not None:
            await link.close()
        await source.close()


async def with_log(
    source: ServerSource, choice: LogChoice, work: Callable[[EventLog], Awaitable[_Result]]
) -> _Result:
    """Run an action that may be repeated, and repeat it if the embedded server ends during it.

    An embedded server ends with the process that started it, which may be another command that
    finished first.
    """
    for _try in range(_RETRIES_AFTER_OWNER):
        try:
            async with opened_log(source, choice) as log:
                return await work(log)
        except ServerError:
            if not source.owner_has_ended():
                raise
    async with opened_log(source, choice) as log:
        return await work(log)
