"""Moving the keys of one system to another: which entries are exported, and what import adds.

Entries are exported as stored, in the order of their revisions, with the entry that names the
keyring first. Import depends on the target:

| the target | what is written |
| --- | --- |
| holds no keys | the entries as they are |
| holds keys of the same keyring | the data keys and erasures that are missing |
| holds keys of another keyring | the same, wrapped again; the key file must hold both keyrings |

A data key that a tombstone on either side names is never written. An account that has a data key
in the target keeps using it. Everything is decided before the first write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from natster_tui.errors import ConflictError, RefusedError
from natster_tui.events.log.key_lines import KeyLine, is_key_name
from natster_tui.store.sealing.envelope import Key, is_sealed
from natster_tui.store.sealing.key_bucket import (
    BUCKET,
    ENTRIES_AT_ONCE,
    KEYRING_ENTRY,
    TOMBSTONE_PREFIX,
    Head,
    KeyEntry,
)
from natster_tui.store.sealing.key_file import KeyFile, keys_of_ring
from natster_tui.store.sealing.key_records import Missing, WrappedKey, seal_tombstone, wrap
from natster_tui.store.sealing.key_table import KeyTable
from natster_tui.store.sealing.keyring import Keyring

_TRIES = 20
_NOTHING = "nothing was imported"


# -- export ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExportedKeys:
    """The entries to write, `_keyring` first; none if nothing was ever sealed.

    `unknown` counts the entries that are neither keys nor tombstones. `outdated` counts the keys
    that are not wrapped with the current key-encryption key.
    """

    lines: tuple[KeyLine, ...] = ()
    unknown: int = 0
    outdated: int = 0


async def exported_keys(keyring: Keyring) -> ExportedKeys:
    """Read the stored keys. Raises RefusedError if the bucket has no keyring."""
    await keyring.refresh()
    newest = await keyring.bucket.newest()
    entries = {} if newest is None else await keyring.bucket.entries_after(0, newest[1])
    if not entries:
        if keyring.problem:
            raise RefusedError(keyring.problem)
        return ExportedKeys()
    table = KeyTable(None)
    table.add_entries(entries)
    if table.head is None:
        raise RefusedError(
            keyring.problem
            or f"{BUCKET} has no readable entry {KEYRING_ENTRY}: restore the bucket from a backup"
        )
    lines = [KeyLine(KEYRING_ENTRY, entries.pop(KEYRING_ENTRY).value)]
    unknown = outdated = 0
    for name, entry in entries.items():
        key_id = name.rpartition(".")[2]
        if not (is_key_name(name) and is_sealed(entry.value)):
            unknown += 1
        elif name.startswith(TOMBSTONE_PREFIX):
            lines.append(KeyLine(name, entry.value))
        elif not keyring.is_erased(key_id):
            lines.append(KeyLine(name, entry.value))
            outdated += table.wrapped[key_id].kek != table.head.kek
    return ExportedKeys(tuple(lines), unknown, outdated)


# -- import: reading the file --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfferedKeys:
    """The keys of an export: its entries, and those that the key file opens."""

    lines: tuple[KeyLine, ...]
    table: KeyTable
    head: Head

    @classmethod
    def of(cls, lines: Iterable[KeyLine], key_file: KeyFile | None) -> OfferedKeys:
        """Open as many keys as possible. Raises RefusedError if none can be opened."""
        kept = tuple(lines)
        table = KeyTable(key_file)
        # The order replaces revisions: of two keys of one account the later one is in use.
        table.add_entries({line.name: KeyEntry(line.value, at) for at, line in enumerate(kept, 1)})
        if table.head is None:
            raise RefusedError(f"the file's entry {KEYRING_ENTRY} names no keyring")
        table.unlock(*keys_of_ring(key_file, table.head.ring))
        if table.problem:
            raise RefusedError(f"the file's keys cannot be used: {table.problem}")
        table.verify_tombstones()
        return cls(kept, table, table.head)


# -- import: writing -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """What an import writes to the key bucket.

    `entries` are by name, each with its expected revision, in the order in which they are written.
    `keys` and `erasures` count the data keys and the erased accounts that are added.
    """

    head: Head
    entries: Mapping[str, tuple[bytes, int]]
    keys: int = 0
    erasures: int = 0


def plan_keys(offered: OfferedKeys, target: KeyTable) -> KeyPlan:
    """Decide what is written. Raises RefusedError, with nothing written."""
    if target.head is None and target.is_empty:
        return _plan_for_empty(offered)
    return _plan_for_keyring(offered, target)


def _plan_for_empty(offered: OfferedKeys) -> KeyPlan:
    table = offered.table
    if table.current_kek() is None:
        raise RefusedError(
            f"the file's keys are wrapped with the key-encryption key {offered.head.kek}, which "
            f"{table.key_file} does not hold: name the key file that belongs to the export, with "
            f"--key-file; {_NOTHING}"
        )
    entries = {}
    keys = 0
    for name, value in offered.lines:
        if name.startswith(TOMBSTONE_PREFIX):
            if name.removeprefix(TOMBSTONE_PREFIX) in table.tombstones:
                entries[name] = (value, 0)
        elif name != KEYRING_ENTRY and not table.is_erased(name.rpartition(".")[2]):
            entries[name] = (value, 0)
            keys += 1
    head = Head(offered.head.ring, offered.head.kek, 0)
    return KeyPlan(head, entries, keys, len(table.tombstones))


def _plan_for_keyring(offered: OfferedKeys, target: KeyTable) -> KeyPlan:
    head, kek = target.head, target.current_kek()
    if head is None or kek is None:
        why = target.problem or "the key file lacks the key that wraps now"
        raise RefusedError(f"no keys can be added to {BUCKET}: {why}; {_NOTHING}")
    added: dict[str, tuple[bytes, int]] = {}
    accounts: set[str] = set()
    for wrapped in offered.table.wrapped.values():
        erased = target.is_erased(wrapped.id) or offered.table.is_erased(wrapped.id)
        if erased or wrapped.id in target.wrapped:
            continue
        added[_name_of(wrapped)] = (_wrapped_for(head, kek, offered, wrapped), 0)
        accounts.add(wrapped.account)
    keys = len(added)
    erasures = _missing_erasures(offered, target, head, kek)
    added.update(erasures)
    # The key in use is written again last, so it stays the newest and stays in use.
    for account in accounts:
        if (current := target.current_key_of(account)) is not None:
            added[_name_of(current)] = (current.stored, current.revision)
    return KeyPlan(head, added, keys, len(erasures))


def _wrapped_for(head: Head, kek: Key, offered: OfferedKeys, wrapped: WrappedKey) -> bytes:
    """A data key as the target stores it; unchanged if the same key wraps it in both."""
    if offered.head.ring == head.ring and wrapped.kek == kek.id:
        return wrapped.stored
    key = offered.table.find(wrapped.id)
    if isinstance(key, Missing):
        raise RefusedError(
            f"the file's data key {wrapped.id} of {wrapped.account} cannot be wrapped for this "
            f"system: {key.reason}; {_NOTHING}"
        )
    return wrap(kek, head.ring, wrapped.account, key)


def _missing_erasures(
    offered: OfferedKeys, target: KeyTable, head: Head, kek: Key
) -> dict[str, tuple[bytes, int]]:
    """The tombstones to write: those that name data keys unknown to the target."""
    found = {}
    for account, tombstone in offered.table.tombstones.items():
        new = [key_id for key_id in tombstone.keys if not target.is_erased(key_id)]
        if not new:
            continue
        if alive := [key_id for key_id in new if key_id in target.wrapped]:
            raise RefusedError(
                f"the file says that the data key {alive[0]} of {account} was erased, but it is "
                f"in use here: erase the account here first (keys erase {account}), then import; "
                f"{_NOTHING}"
            )
        both = (tombstone, target.tombstones.get(account) or tombstone)
        stored = seal_tombstone(
            kek,
            head.ring,
            account,
            {key_id for each in both for key_id in each.keys},
            max(each.at for each in both),
            sorted({kek_id for each in both for kek_id in each.under}),
        )
        found[f"{TOMBSTONE_PREFIX}{account}"] = (stored, target.tombstone_revision(account))
    return found


def _name_of(wrapped: WrappedKey) -> str:
    return f"{wrapped.account}.{wrapped.id}"


async def import_keys(keyring: Keyring, offered: OfferedKeys) -> KeyPlan:
    """Write the plan of `plan_keys`, and return it.

    Raises RefusedError (nothing is written), ConflictError and ServerError.
    """
    first: KeyPlan | None = None
    for _try in range(_TRIES):
        async with keyring.busy:
            await keyring.refresh_while_busy()
            plan = plan_keys(offered, keyring)
            first = first or plan
            if not plan.entries and keyring.head is not None:
                return first
            try:
                await keyring.bucket.create()
                await _write(keyring, plan)
            except ConflictError:
                continue
            finally:
                # The last write may be stored or not; reading the bucket shows it.
                keyring.invalidate()
        await keyring.refresh()
        return first
    raise ConflictError(f"others kept writing to {BUCKET}: try again; {_NOTHING}")


async def _write(keyring: Keyring, plan: KeyPlan) -> None:
    waiting = list(plan.entries.items())
    head = plan.head
    while True:
        batch, waiting = dict(waiting[:ENTRIES_AT_ONCE]), waiting[ENTRIES_AT_ONCE:]
        head = replace(head, revision=await keyring.bucket.write(batch, head))
        if not waiting:
            return
