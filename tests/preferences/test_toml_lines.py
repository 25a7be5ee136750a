from __future__ import annotations

import pytest

from natster_tui.preferences.toml_lines import line_of

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
        (("contexts", "a.b", "missing"), 15),
    ],
)
def test_a_value_is_found_on_the_line_where_its_statement_begins(
    where: tuple[str | int, ...], line: int
) -> None:
    assert line_of(TEXT, where) == line
