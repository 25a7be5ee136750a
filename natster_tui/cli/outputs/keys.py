"""The JSON output of `keys list`, `keys rotate` and `keys erase`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from natster_tui.cli.outputs.output import Output
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.store.sealing.key_records import Missing, Tombstone, WrappedKey
from natster_tui.store.sealing.key_rotation import Destruction, Rotation
from natster_tui.store.sealing.keyring import Keyring
from natster_tui.text.masking import screen_text

_SHOWN = 100


class ListedKey(Output):
    """A data key."""

    account: str
    key: str = Field(description="Its id.")
    wrapped_with: str = Field(description="The id of the key-encryption key that wraps it.")
    state: Literal["usable", "unusable", "half erased"]
    reason: str | None = Field(description="Why it cannot be used.")

    @classmethod
    def of(cls, key: WrappedKey, keyring: Keyring) -> ListedKey:
        """A wrapped key, and whether the keyring can unwrap it."""
        found = keyring.find(key.id)
        state: Literal["usable", "unusable", "half erased"] = "usable"
        reason = None
        if isinstance(found, Missing):
            state = "half erased" if found.erased else "unusable"
            # A finished erasure deletes the entry, so this one can still be unwrapped.
            reason = _interrupted(key.account) if found.erased else found.reason
        return cls(
            account=screen_text(key.account, _SHOWN),
            key=screen_text(key.id, _SHOWN),
            wrapped_with=screen_text(key.kek, _SHOWN),
            state=state,
            reason=reason,
        )


class ErasedAccount(Output):
    """An account whose keys were destroyed."""

    account: str
    keys: tuple[str, ...] = Field(description="The ids of the destroyed keys.")
    at: int = Field(description="Unix seconds.")
    reason: str | None = Field(description="Why the erasure is not finished; null if it is.")

    @classmethod
    def of(cls, erased: Tombstone, keyring: Keyring) -> ErasedAccount:
        """A tombstone."""
        unfinished = keyring.is_unfinished(erased)
        return cls(
            account=screen_text(erased.account, _SHOWN),
            keys=erased.keys,
            at=erased.at,
            reason=_interrupted(erased.account) if unfinished else None,
        )


class KeyList(Output):
    """The data keys, whose they are, and whether they can be used."""

    keyring: str = Field(description="The keyring's id.")
    key_file: str | None
    wraps_now: str = Field(description="The id of the key-encryption key that wraps new keys.")
    in_key_file: tuple[str, ...] = Field(description="The ids of all that the key file holds.")
    keys: tuple[ListedKey, ...]
    erased: tuple[ErasedAccount, ...]
    problems: tuple[str, ...] = Field(description="One sentence each.")

    @classmethod
    def of(cls, keyring: Keyring) -> KeyList:
        """The keys and tombstones of a keyring."""
        assert keyring.head is not None
        keys = sorted(keyring.wrapped.values(), key=lambda key: (key.account, key.id))
        erased = sorted(keyring.tombstones.values(), key=lambda each: each.account)
        return cls(
            keyring=keyring.head.ring,
            key_file=None if keyring.key_file is None else str(keyring.key_file),
            wraps_now=keyring.head.kek,
            in_key_file=tuple(keyring.keks),
            keys=tuple(ListedKey.of(key, keyring) for key in keys),
            erased=tuple(ErasedAccount.of(each, keyring) for each in erased),
            problems=tuple(keyring.problems),
        )

    @property
    def is_well(self) -> bool:
        """Whether every key can be used, and nothing was interrupted."""
        usable = all(key.state == "usable" for key in self.keys)
        return usable and not self.problems and not any(each.reason for each in self.erased)


class Rotated(Output):
    """What a rotation of the key-encryption key did."""

    wraps_now: str = Field(description="The id of the new key-encryption key.")
    removed: tuple[str, ...] = Field(description="The ids that were removed from the key file.")
    rewrapped: int = Field(description="Data keys that are wrapped with the new key now.")
    failed: int = Field(description="Data keys that could not be unwrapped, and were left.")

    @classmethod
    def of(cls, done: Rotation) -> Rotated:
        """A rotation."""
        return cls(
            wraps_now=done.new,
            removed=tuple(done.removed),
            rewrapped=done.rewrapped,
            failed=done.failed,
        )


class Erased(Output):
    """What erasing an account did."""

    account: str
    destroyed: tuple[str, ...] = Field(description="The ids of the destroyed data keys.")
    rotation: Rotated
    rebuilt: dict[str, str] = Field(
        description="Each projection that was rebuilt, and a sentence about it."
    )
    verified: bool = Field(description="Whether what is stored then is what the log says.")

    @classmethod
    def of(cls, account: str, done: Destruction, verdicts: Sequence[Verdict]) -> Erased:
        """The destroyed keys of an account, and the rebuilds after it."""
        return cls(
            account=account,
            destroyed=tuple(done.keys),
            rotation=Rotated.of(done.rotation),
            rebuilt={verdict.projection.name: verdict.sentence for verdict in verdicts},
            verified=all(verdict.good for verdict in verdicts),
        )


def _interrupted(account: str) -> str:
    return f"its erasure was interrupted: keys erase {screen_text(account, _SHOWN)} finishes it"
