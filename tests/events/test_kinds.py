from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.events.event_kind import PayloadUse
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.payloads import WebContext, payload_problem
from natster_tui.projections.account import CONTEXT_FIELDS, read_context
from natster_tui.text.safe_text import safe_text

BOUND = NATSTER.kind_of(EventType.CONTEXT_BOUND)

values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())
)
contexts = st.dictionaries(st.sampled_from(CONTEXT_FIELDS), st.one_of(st.text(), values))
payloads = st.one_of(
    st.binary(max_size=30),
    values.map(json.dumps).map(str.encode),
    st.fixed_dictionaries(
        {}, optional={"oauth_id": st.one_of(st.text(), values), "bound_context": contexts}
    ).map(lambda value: json.dumps(value).encode()),
)


def test_every_type_has_one_entry_with_names_and_marks_of_its_own() -> None:
    assert [kind.type for kind in NATSTER.kinds] == list(EventType)
    for field in ("word", "glyph", "plain_glyph", "style", "meaning"):
        assert len({getattr(kind, field) for kind in NATSTER.kinds}) == len(NATSTER.kinds)
    assert all(kind.plain_glyph.isascii() for kind in NATSTER.kinds)


def test_a_payload_that_is_required_has_a_model() -> None:
    for kind in NATSTER.kinds:
        assert (kind.payload is PayloadUse.NONE) == (kind.payload_model is None)


def test_the_model_of_a_web_context_has_the_fields_of_the_document() -> None:
    assert tuple(WebContext.model_fields) == CONTEXT_FIELDS


@given(payloads)
def test_the_model_and_the_fold_agree_on_which_bindings_are_parked(payload: bytes) -> None:
    assert (payload_problem(BOUND, payload) is None) == (read_context(payload) is not None)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            b"",
            "context_bound needs a payload, a JSON object with oauth_id and bound_context: "
            "the payload is empty",
        ),
        (b"[]", "the payload must be an object"),
        (b"{", "the payload cannot be read: not JSON"),
        (b'{"oauth_id":"","bound_context":{}}', "oauth_id must not be empty"),
        (b'{"bound_context":{}}', "oauth_id is missing"),
        (b'{"oauth_id":1,"bound_context":{}}', "oauth_id must be a text"),
        (
            b'{"oauth_id":"x","bound_context":{"creds":["s3cret"]}}',
            "bound_context.creds must be a text",
        ),
        (b'{"oauth_id":"","oauth_id":"x","bound_context":{},"more":1e999}', None),
        (b'{"oauth_id":"x","bound_context":{"creds":' + b"9" * 5000 + b"}}", "bound_context.creds"),
    ],
)
def test_a_payload_that_does_not_fit_is_named_by_its_field_and_not_quoted(
    payload: bytes, expected: str | None
) -> None:
    problem = payload_problem(BOUND, payload)
    assert (problem is None) == (expected is None)
    if problem is not None and expected is not None:
        assert expected in problem
        assert "s3cret" not in problem
        assert problem == safe_text(problem, 1000)


def test_a_look_at_the_table_imports_no_pydantic() -> None:
    look = "import sys, natster_tui.events.filter; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
