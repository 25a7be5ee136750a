"""Header blocks: one asked for by name is what parsing all of them finds first."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from natster_tui.events.headers import first_header, first_value, parse_headers

NAME = "Nats-Msg-Id"
LINES = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from((NAME, f" {NAME}", f"{NAME} ", NAME.lower(), f"X-{NAME}", "Other", "")),
            st.sampled_from((":", "::", "")),
            st.text(max_size=8).map(lambda text: text.replace("\r", "").replace("\n", "")),
        ).map("".join),
        st.just(f"Other: {NAME}: quoted"),
    )
)


@given(LINES)
@example([])
@example([f"{NAME}:first", f"{NAME}:second"])
@example([f" {NAME}:first", f"{NAME}:second"])
@example([f"Other: {NAME}", f"{NAME}:id"])
def test_first_header_is_the_first_of_all(lines: list[str]) -> None:
    block = "\r\n".join(["NATS/1.0", *lines, "", ""]).encode("utf-8", "replace")
    assert first_header(block, NAME) == first_value(parse_headers(block), NAME)


def test_a_block_that_ends_early_gives_what_is_there() -> None:
    assert first_header(f"NATS/1.0\r\n{NAME}: id".encode(), NAME) == "id"
    assert first_header(b"", NAME) is None


def test_the_first_line_holds_no_header() -> None:
    assert first_header(f"{NAME}: id\r\n".encode(), NAME) is None
