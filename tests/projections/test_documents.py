"""Documents as bytes: the contract's form, whichever library writes it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from natster_tui.projections.documents import encode_document, read_document

_SCALARS = st.none() | st.booleans() | st.integers(0, 2**53) | st.text()
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(), _VALUES))
def test_a_document_is_utf_8_json_without_spaces_in_the_order_given(
    document: dict[str, Any],
) -> None:
    expected = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    assert encode_document(document) == expected
    assert read_document(expected) == document


def test_a_value_that_is_not_an_object_is_not_a_document() -> None:
    for stored in (b"", b"[1]", b"null", b"{", b'{"a":NaN}', b"\xef\xbb\xbf{}", b'{"a":"\xff"}'):
        assert read_document(stored) is None
    deep = b'{"a":' * 2_000 + b"1" + b"}" * 2_000
    assert read_document(deep) is None
