"""Many messages framed at once are the same bytes as nats-py sends one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import BadSubjectError, MaxPayloadError
from nats.protocol import command

from natster_tui.store.connection.frames import Outgoing, framed, header_block

_WORDS = st.text("ABCdef019._$-", min_size=1)
_PAIRS = st.tuples(_WORDS.map(lambda word: f"Nats-{word}"), _WORDS)


@given(st.lists(st.tuples(_WORDS, st.lists(_PAIRS, max_size=3), st.binary(max_size=40))))
def test_they_are_the_bytes_of_nats_py(
    messages: list[tuple[str, list[tuple[str, str]], bytes]],
) -> None:
    theirs = b"".join(
        command.hpub_cmd(subject, "", header_block(*pairs).encode(), payload)
        for subject, pairs, payload in messages
    )
    ours = [
        Outgoing(subject, header_block(*pairs), payload) for subject, pairs, payload in messages
    ]
    assert framed(ours, 40) == theirs


@pytest.mark.parametrize("subject", ["", "$KV.X.a b", "$KV.X.a\r\nPUB x 0", "$KV.X.a\n"])
def test_a_subject_cannot_end_its_line(subject: str) -> None:
    with pytest.raises(BadSubjectError):
        framed([Outgoing(subject, header_block(), b"")], 10)


def test_a_payload_that_the_server_refuses_is_not_sent() -> None:
    with pytest.raises(MaxPayloadError):
        framed([Outgoing("x", header_block(), b"12345678901")], 10)
