"""The keys that resize panes."""

from __future__ import annotations

from natster_tui.tui.keys.key import Key

SIZES = (
    Key(
        "app.wider",
        "greater_than_sign",
        "resize('width', 1)",
        "wider",
        "Make the column of the pane wider; the lines between panes can be dragged, too",
        ">",
        in_footer=False,
    ),
    Key(
        "app.narrower",
        "less_than_sign",
        "resize('width', -1)",
        "narrower",
        "Make the column of the pane narrower",
        "<",
        in_footer=False,
    ),
    Key(
        "app.higher",
        "plus",
        "resize('height', 1)",
        "higher",
        "Make the pane higher",
        "+",
        in_footer=False,
    ),
    Key(
        "app.lower",
        "minus",
        "resize('height', -1)",
        "lower",
        "Make the pane lower",
        "-",
        in_footer=False,
    ),
    Key(
        "app.usual_sizes",
        "0",
        "usual_sizes",
        "usual sizes",
        "Give all panes their usual sizes back",
        in_footer=False,
    ),
)
