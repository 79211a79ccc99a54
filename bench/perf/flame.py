"""Stacks as a flame graph: an SVG without scripts, one box a function, as wide as its share of the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

__all__ = ["Box", "grown", "svg"]

WIDTH, HEIGHT = 1200, 17
LEAST = 0.004
"""Share of the time below which a box is left out."""
COLOURS = {
    "ccr/entrypoints": "#c6dbef",
    "ccr/application": "#a1d99b",
    "ccr/domain": "#d9f0a3",
    "ccr/adapters/dialects": "#fdae6b",
    "ccr/adapters/wire": "#fdd0a2",
    "ccr/adapters/upstream": "#bcbddc",
    "ccr/adapters/logs": "#e7cb94",
    "ccr": "#dadaeb",
}
OTHER = "#d9d9d9"


@dataclass
class Box:
    """A function where it was called: samples in it and in what it called."""

    name: str
    samples: int = 0
    inner: dict[str, Box] = field(default_factory=dict)


def grown(stacks: Mapping[tuple[str, ...], int], skipped: Iterable[str] = ()) -> Box:
    """Make a tree of stacks, outermost function first; what is called by a skipped file stands in its caller's place."""
    root, files = Box("all"), tuple(skipped)
    for stack, count in stacks.items():
        root.samples += count
        box = root
        for name in stack:
            if name.startswith(files):
                continue
            box = box.inner.setdefault(name, Box(name))
            box.samples += count
    return root


def svg(root: Box, title: str) -> str:
    """Draw it."""
    boxes = list(_laid(root, 0.0, 0))
    depth = max(level for _, _, level in boxes) + 1
    height = (depth + 1) * HEIGHT + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">',
        f'<text x="4" y="13" font-size="13">{escape(title)}</text>',
    ]
    for box, at, level in boxes:
        wide, y = box.samples / root.samples * WIDTH, (level + 1) * HEIGHT + 4
        label = box.name.rsplit(" ", 1)[-1].replace(".<locals>", "")
        room = int(wide / 6.7)
        shown = label if len(label) <= room else label[: room - 1] + "…" if room > 3 else ""
        told = f"{box.name}: {box.samples / root.samples:.1%}"
        lines.append(
            f'<g><title>{escape(told)}</title><rect x="{at:.1f}" y="{y}" width="{max(wide - 0.5, 0.5):.1f}" '
            f'height="{HEIGHT - 1}" fill="{_colour(box.name)}"/>'
            f'<text x="{at + 3:.1f}" y="{y + 12}">{escape(shown)}</text></g>'
        )
    return "\n".join([*lines, "</svg>", ""])


def _laid(box: Box, at: float, level: int, total: int = 0) -> Iterator[tuple[Box, float, int]]:
    total = total or box.samples
    yield box, at, level
    for inner in sorted(box.inner.values(), key=lambda one: -one.samples):
        if inner.samples / total >= LEAST:
            yield from _laid(inner, at, level + 1, total)
        at += inner.samples / total * WIDTH


def _colour(name: str) -> str:
    return next((colour for folder, colour in COLOURS.items() if name.startswith(folder)), OTHER)
