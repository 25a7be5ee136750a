"""Make the pictures in `screenshots/`: `python -m tests.screenshots [NAME…]`.

SVG always; PNG beside it where cairosvg (the `screenshots` extra) and its system library are.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import sys
import tempfile
from pathlib import Path

from rich.cells import cell_len

from tests.real_server import RealServer
from tests.tui.scenes import SCENES, redrawn, staged

LOOKED_AROUND_S = 1.5
_TEXT = re.compile(
    r'(<text class="[^"]*-r[0-9]+" )x="([0-9.]+)"( y="[0-9.]+") textLength="[0-9.]+"'
    r'( clip-path="[^"]*")>([^<]*)</text>'
)
_CELL = 12.2
"""The width of a cell in Textual's pictures."""
PICTURES = Path(__file__).parent.parent / "screenshots"


async def picture(name: str, server: RealServer) -> str:
    """One scene as SVG."""
    async with staged(name, server.new_account()) as app:
        picture, again = "", await redrawn(app)
        while picture != again:
            # Projectors look around once a second: a picture is made when that changes nothing.
            picture = again
            await asyncio.sleep(LOOKED_AROUND_S)
            again = await redrawn(app)
        return picture


def _each_character_placed(found: re.Match[str]) -> str:
    before, x, y, clip, text = found.groups()
    places, at = [], float(x)
    for character in html.unescape(text):
        places.append(f"{at:.1f}")
        at += _CELL * cell_len(character)
    return f'{before}x="{" ".join(places)}"{y}{clip}>{text}</text>'


def main() -> None:
    wanted = sys.argv[1:] or list(SCENES)
    with tempfile.TemporaryDirectory() as directory:
        # Not the keys of the person who draws.
        os.environ["XDG_CONFIG_HOME"] = str(Path(directory) / "config")
        server = RealServer(Path(directory))
        server.start()
        try:
            for name in wanted:
                svg = asyncio.run(picture(name, server))
                (PICTURES / f"{name}.svg").write_text(svg)
                write_png(name, svg)
                print(name)
        finally:
            server.stop()


def write_png(name: str, svg: str) -> None:
    try:
        import cairosvg
    except (ImportError, OSError) as error:
        print(f"no PNG of {name}: {error}", file=sys.stderr)
        return
    # The fonts that the SVG names are on the web; this is what a Linux machine has. It is narrower
    # and lower than a cell: lines of boxes join only at this size, each character in its place.
    local = svg.replace("Fira Code", "DejaVu Sans Mono").replace(
        "font-size: 20px", "font-size: 21px"
    )
    local = _TEXT.sub(_each_character_placed, local)
    cairosvg.svg2png(local.encode(), write_to=str(PICTURES / f"{name}.png"), output_width=1400)


if __name__ == "__main__":
    main()
