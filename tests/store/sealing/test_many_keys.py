"""More keys than keep their cipher."""

from __future__ import annotations

import pytest

from natster_tui.store.sealing import envelope
from natster_tui.store.sealing.envelope import Key

KEPT = 3


def with_cipher(keys: list[Key]) -> int:
    return sum(key._cipher is not None for key in keys)


def test_few_keys_keep_their_cipher_and_all_of_them_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "CIPHERS_KEPT", KEPT)
    monkeypatch.setattr(envelope, "_with_cipher", [])
    keys = [Key.new() for _ in range(10)]
    sealed = [key.seal(b"value", "event", key.id) for key in keys]
    assert 0 < with_cipher(keys) <= KEPT
    for _ in range(2):
        for key, stored in zip(keys, sealed, strict=True):
            assert key.open(stored, "event", key.id) == b"value"
            assert 0 < with_cipher(keys) <= KEPT


def test_a_key_that_is_gone_is_not_kept_by_its_cipher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "_with_cipher", [])
    key = Key.new()
    key.seal(b"value", "event")
    (kept,) = envelope._with_cipher
    assert kept() is key
    del key
    assert kept() is None
