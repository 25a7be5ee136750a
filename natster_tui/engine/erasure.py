"""Erasing an account: destroying its data keys, and rebuilding what was derived with them.

The log keeps its events, but their sealed payloads can no longer be read. The projections are
rebuilt at once, so that no stored document holds erased data. The account gets a new data key for
later events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from natster_tui.engine.projecting.stored_projection import bucket_of
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.engine.versions.finding import all_versions_stored
from natster_tui.errors import NatsterError, RefusedError, ServerError
from natster_tui.projections.api import Projection
from natster_tui.projections.paging import assembled, by_document
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.projections.versions.naming import bucket_beside
from natster_tui.store.connection.reporting import notice
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.key_rotation import Destruction, destroy
from natster_tui.store.sealing.keyring import Keyring
from natster_tui.text.masking import screen_text

WHAT_REMAINS = (
    "what stays readable: subjects and bucket keys (who shared what with whom), the account's name "
    "in other accounts' documents, and any backup that holds the keys' bucket and the key file "
    "together"
)


@dataclass(frozen=True, slots=True)
class Affected:
    """What an erasure would affect. `sealed_keys` are the ids of the data keys to destroy."""

    account: str
    sealed_keys: tuple[str, ...]
    has_document: bool
    catalogs: tuple[str, ...]

    def lines(self) -> list[str]:
        """The same as sentences, one a line."""
        keys = ", ".join(self.sealed_keys) or "none left"
        document = "its document" if self.has_document else "no document is stored"
        owned = ", ".join(self.catalogs) or "none"
        return [
            f"data keys to destroy: {keys}",
            f"to rebuild: {document} in {ACCOUNTS.bucket}, catalogs it owns: {owned}",
            "its name, web login and secrets in the log can never be read again",
            WHAT_REMAINS,
        ]


def keyring_of(log: EventLog) -> Keyring:
    """The keys of a log; raises RefusedError if it has none, or they cannot be read."""
    keyring = log.sealing.keyring
    if keyring is None or keyring.head is None:
        if keyring is not None and keyring.problem:
            raise keyring.refusal(keyring.problem)
        raise RefusedError(f"nothing of {log.stream} was sealed yet: there are no keys")
    return keyring


async def affected_by_erasing(log: EventLog, account: str, instance: str) -> Affected:
    """Find out what an erasure would affect; writes nothing."""
    keyring = keyring_of(log)
    accounts = await bucket_of(log, ACCOUNTS, instance).load()
    catalogs = await bucket_of(log, CATALOGS, instance).load()
    owned = []
    stored = {key: entry.value for key, entry in catalogs.documents.items()}
    for key, entries in by_document(stored):
        try:
            owner = CATALOGS.state_of(assembled(CATALOGS, key, entries)).owner
        except ValueError:
            # It cannot be opened, or is not a document. The rebuild corrects it in any case.
            continue
        if owner == account:
            owned.append(key)
    return Affected(
        account,
        tuple(sorted(key.id for key in keyring.wrapped.values() if key.account == account)),
        account in accounts.documents,
        tuple(sorted(owned)),
    )


async def erase_account(
    log: EventLog, account: str, projections: Sequence[Projection[Any]], instance: str
) -> tuple[Destruction, list[Verdict]]:
    """Destroy the keys, then rebuild the projections.

    Raises RefusedError, and ServerError if the server refuses. If the rebuild fails, the error says
    that the keys are destroyed all the same; the next start of a projector, or a rebuild, finishes
    the erasure.
    """
    destruction = await destroy(keyring_of(log), account)
    rebuild = Rebuild(log, WholeProjections(tuple(projections)), instance)
    try:
        await rebuild.prepare()
        verdicts = await rebuild.commit()
    except NatsterError as error:
        kind = ServerError if isinstance(error, ServerError) else RefusedError
        raise kind(
            f"the keys of {screen_text(account, 100)} are destroyed, but the projections could not "
            f"be rebuilt ({error.sentence}): put that right, then rebuild"
        ) from error
    await _notify_of_versions(log, projections)
    return destruction, verdicts


async def _notify_of_versions(log: EventLog, projections: Sequence[Projection[Any]]) -> None:
    """Give a notice of each version beside: it must be projected or rebuilt separately."""
    try:
        found = await all_versions_stored(log.link, [(each,) for each in projections])
    except ServerError as error:
        # The erasure itself is done.
        notice(f"versions that are stored beside could not be looked for: {error.sentence}")
        return
    for projection, versions in zip(projections, found, strict=True):
        for version in versions:
            notice(
                f"{bucket_beside(projection.bucket, version)} may still hold what was erased: "
                f"project or rebuild {projection.name}.v{version}, or drop {projection.name}"
            )
