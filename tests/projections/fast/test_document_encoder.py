"""Documents encoded from what changed in them: the same bytes as encoding all of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.events.event import Record
from natster_tui.projections.api import Projection
from natster_tui.projections.documents import encode_document
from natster_tui.projections.fast import document_encoder
from natster_tui.projections.fast.document_encoder import DocumentEncoder
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from tests.folding import advance
from tests.making_logs import A, imported, logs, records_of, shared, unshared


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("kept", [5, 50_000])
@given(records=logs(max_size=40))
def test_any_log_gives_the_same_documents(
    projection: Projection[Any], kept: int, records: list[Record]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document_encoder, "WORTHWHILE", 1)
        patch.setattr(document_encoder, "ENTRIES_KEPT", kept)
        patch.setattr(document_encoder, "BLOCK", 3)
        encoder, fold = DocumentEncoder(projection), Fold(projection)
        for record in records:
            advance(fold, [record])
            for key in fold.take_dirty():
                state = fold.states[key]
                assert encoder.encode(key, state) == projection.encode(key, state)


@given(st.lists(st.tuples(st.integers(0, 70), st.sampled_from("sui")), max_size=60))
def test_changes_anywhere_in_a_long_list_give_the_same_document(
    changes: list[tuple[int, str]],
) -> None:
    kinds = {"s": shared, "u": unshared}
    events = [shared(A, f"T{number}") for number in range(60)]
    events += [
        imported(f"T{number}", A) if kind == "i" else kinds[kind](A, f"T{number}")
        for number, kind in changes
    ]
    encoder, fold = DocumentEncoder(ACCOUNTS), Fold(ACCOUNTS)
    for record in records_of(*events):
        advance(fold, [record])
        assert encoder.encode(A, fold.states[A]) == ACCOUNTS.encode(A, fold.states[A])


def test_only_what_changed_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[Any] = []

    def counted(document: Any) -> bytes:
        encoded.append(document)
        return encode_document(document)

    fold = Fold(ACCOUNTS)
    advance(fold, records_of(*[shared(A, f"T{number}") for number in range(100)]))
    encoder = DocumentEncoder(ACCOUNTS)
    encoder.encode(A, fold.states[A])
    monkeypatch.setattr(document_encoder, "encode_document", counted)
    shares = fold.states[A].out_shares
    shares["kevbuzz", "T50"] = 1
    encoder.encode(A, fold.states[A])
    del shares["kevbuzz", "T10"]
    encoder.encode(A, fold.states[A])
    shares["kevbuzz", "T10"] = None
    encoder.encode(A, fold.states[A])
    blocks = [each for each in encoded if isinstance(each, list)]
    assert 3 <= len(blocks) <= 6
    assert sum(map(len, blocks)) <= len(blocks) * document_encoder.BLOCK


def test_no_more_entries_are_kept_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_encoder, "ENTRIES_KEPT", 50)
    monkeypatch.setattr(document_encoder, "WORTHWHILE", 1)
    fold = Fold(ACCOUNTS)
    events = [shared(f"O{owner}", f"T{number}") for owner in range(5) for number in range(20)]
    advance(fold, records_of(*events))
    encoder = DocumentEncoder(ACCOUNTS)
    for key, state in fold.states.items():
        encoder.encode(key, state)
        kept = sum(
            len(each.names) for _, lists in encoder._kept.values() for each in lists.values()
        )
        assert kept == encoder._entries <= 50
    assert encoder._kept
