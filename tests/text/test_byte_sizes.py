from __future__ import annotations

import pytest

from natster_tui.text.byte_sizes import GIB, KIB, MIB, TIB, described_bytes, parse_byte_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0), ("512", 512), ("512B", 512), ("1K", KIB), ("64M", 64 * MIB), ("64MB", 64 * MIB),
        ("64MiB", 64 * MIB), (" 1gib ", GIB), ("2t", 2 * TIB),
    ],
)  # fmt: skip
def test_sizes_are_read_as_nats_writes_them(text: str, size: int) -> None:
    assert parse_byte_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "1.5G", "-1", "1 GiB extra", "1PiB", "٣", "9" * 30])
def test_a_text_that_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_byte_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"), (1023, "1,023 bytes"), (KIB, "1 KiB"), (16 * MIB, "16 MiB"),
        (16 * MIB - 1, "15.9 MiB"), (3 * GIB // 2, "1.5 GiB"), (2000 * TIB, "2,000 TiB"),
    ],
)  # fmt: skip
def test_sizes_are_short_and_rounded_down(size: int, text: str) -> None:
    assert described_bytes(size) == text
