"""Creating missing data keys, and the keyring before the first one.

Every key is stored and acknowledged before anything is sealed with it. After a conflict a writer
reads the bucket again, and uses the other writer's key.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from natster_tui.errors import ConflictError, RefusedError, ServerError
from natster_tui.store.sealing.envelope import Key
from natster_tui.store.sealing.key_bucket import ENTRIES_AT_ONCE, Head
from natster_tui.store.sealing.key_file import key_of_text, new_key
from natster_tui.store.sealing.keyring import Keyring

_TRIES = 20


async def ensure_keys(keyring: Keyring, accounts: Iterable[str]) -> None:
    """Create the missing data keys; they are acknowledged when this returns.

    Raises RefusedError if no key may be created here.
    """
    wanted = list(dict.fromkeys(accounts))
    if not all(map(keyring.has_key_of, wanted)):
        async with keyring.busy:
            await _ensure(keyring, wanted)


async def _ensure(keyring: Keyring, wanted: list[str]) -> None:
    lost = 0
    keyring.bucket.refuse_if_unfit()
    while missing := [account for account in wanted if not keyring.has_key_of(account)]:
        try:
            if keyring.head is None:
                await _begin(keyring)
            else:
                await keyring.add([(account, Key.new()) for account in missing[:ENTRIES_AT_ONCE]])
        except ConflictError:
            lost += 1
            if lost >= _TRIES:
                raise
            await keyring.refresh_while_busy()
        except ServerError:
            # It may be stored or not; the next read of the bucket shows it.
            keyring.invalidate()
            raise


async def _begin(keyring: Keyring) -> None:
    """Create the bucket and its first key-encryption key."""
    file = keyring.key_file
    if file is None:
        raise RefusedError("nothing can be sealed without a key file: name one with --key-file")
    for made in (False, True):
        if made:
            await keyring.bucket.create()
        await keyring.refresh_while_busy()
        if keyring.head is not None:
            return
        if keyring.problem:
            # Lost keys are not replaced: what they sealed could never be opened again.
            raise keyring.refusal(keyring.problem)
    file.create()
    ring, written = f"r{secrets.token_hex(8)}", new_key()
    with file.locked():
        file.set_keyring(ring, [written])
    kek = key_of_text(written)
    try:
        await keyring.bucket.write({}, Head(ring, kek.id, 0))
    except ConflictError:
        with file.locked():
            file.set_keyring(ring, [])
        raise
    await keyring.refresh_while_busy()
