"""Make the pictures of the README: ``python screenshots/make.py [NAME]``, SVG and PNG.

rsvg-convert stands for the browser: it knows no ``textLength`` and drops leading spaces, so for
the PNG each word is placed by itself, in a font of which the width of a cell is known.
"""

from __future__ import annotations

import asyncio
import re
import sys
from html import escape, unescape
from pathlib import Path

from rich.cells import cell_len

sys.path.insert(0, str(Path(__file__).parent.parent))

from screenshots.scenes import SIZES, picture

SMALL, MEDIUM, _ = SIZES
PICTURES = {
    "home": SIZES,
    "shell": SIZES,
    "catalog": (MEDIUM,),
    "error": (SMALL,),
    "remove": (SMALL,),
    "run": (SMALL,),
    "which-key": (SMALL,),
    "copy-mode": (MEDIUM,),
    "keys": (SMALL,),
}
"""What is kept: each scene at the sizes that say something."""

HERE = Path(__file__).parent
CELL = 12.2
FONT = "DejaVu Sans Mono"
FONT_SIZE = CELL / (1233 / 2048)
"""DejaVu Sans Mono advances 1233 units of 2048."""

_TEXT = re.compile(r'<text class="([^"]*)" x="([^"]*)"([^>]*?) textLength="[^"]*"([^>]*)>([^<]*)<')


def placed(svg: str) -> str:
    """``svg`` with every word at its own place, for a renderer that cannot space text."""

    def words(match: re.Match[str]) -> str:
        look, x, before, after, text = match.groups()
        plain = unescape(text).replace("\N{NO-BREAK SPACE}", " ")
        parts = [
            f'<text class="{look}" x="{float(x) + cell_len(plain[: word.start()]) * CELL:.1f}"'
            f"{before}{after}>{escape(word.group())}<"
            for word in re.finditer(r"\S+", plain)
        ]
        return "/text>".join(parts) if parts else f'<text class="{look}" x="{x}"><'

    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", FONT).replace(
        "font-size: 20px", f"font-size: {FONT_SIZE:.3f}px"
    )
    return _TEXT.sub(words, svg)


async def convert(svg: str, target: Path) -> None:
    """Render ``svg`` into a PNG file."""
    argv = ("rsvg-convert", "--output", str(target))
    process = await asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.PIPE)
    await process.communicate(svg.encode())
    if process.returncode:
        raise SystemExit(f"rsvg-convert ended with {process.returncode}")


async def main(wanted: list[str]) -> None:
    """Draw the pictures, or the wanted scenes at every size."""
    scenes = dict.fromkeys(wanted, SIZES) if wanted else PICTURES
    for name, sizes in scenes.items():
        for size in sizes:
            svg = await picture(name, size)
            target = HERE / f"{name}-{size[0]}x{size[1]}"
            target.with_suffix(".svg").write_text(svg)
            await convert(placed(svg), target.with_suffix(".png"))
            print(target.with_suffix(".png").relative_to(HERE.parent))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
