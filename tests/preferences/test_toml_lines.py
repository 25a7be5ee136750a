"""Each setting's line is found in the text of a TOML file."""

from __future__ import annotations

import pytest

from natster_tui.preferences.toml_lines import Where, lines_of

TEXT = """# comment
theme = "nord"

hubs = [
  "one",  # [not.a.table]
  "two",
]
text = '''
theme = 3
'''
[keymap]
app.help = "f9"
"app".quit = "q"

[contexts."a.b"]
production = true
"""


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (("theme",), 2),
        (("hubs",), 4),
        (("hubs", 1), 4),
        (("text",), 8),
        (("keymap",), 11),
        (("keymap", "app", "help"), 12),
        (("keymap", "app", "quit"), 13),
        (("contexts", "a.b"), 15),
        (("contexts", "a.b", "production"), 16),
    ],
)
def test_a_value_is_found_on_the_first_line_of_its_statement(where: Where, line: int) -> None:
    assert lines_of(TEXT)[where] == line


def test_other_line_separators_than_a_line_feed_begin_no_line() -> None:
    assert lines_of('a = "x\u2028y"\r\nb = 1')["b",] == 2


def test_a_long_text_takes_no_longer_than_its_lines() -> None:
    """Once each line was parsed together with all before it: minutes for this text."""
    entries = "".join('  "a",\n' for _ in range(6_000))
    settings = "".join(f"key{number} = 1\n" for number in range(4_000))
    lines = lines_of(f"hubs = [\n{entries}]\n{settings}")
    assert (lines["hubs", 5_999], lines["key0",], lines["key3999",]) == (1, 6_003, 10_002)
