"""A slope that a few wild samples do not move, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import frozen

__all__ = ["Slope", "slope_of"]


@frozen
class Slope:
    """Theil and Sen's: the median of the slopes of all pairs. ``low`` and ``high`` hold the true one with 99 % (Sen 1968)."""

    middle: float
    low: float
    high: float


def slope_of(points: Sequence[tuple[float, float]]) -> Slope:
    """Of at least four points (x, y) with different x. Raises ValueError for fewer."""
    count = len(points)
    if count < 4:
        raise ValueError(f"{count} samples make no slope")
    slopes = sorted(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for place, earlier in enumerate(points)
        for later in points[place + 1 :]
    )
    pairs = len(slopes)
    spread = 2.576 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, int((pairs - spread) / 2))
    high = min(pairs - 1, int((pairs + spread) / 2) + 1)
    middle = (slopes[(pairs - 1) // 2] + slopes[pairs // 2]) / 2
    return Slope(middle, slopes[low], slopes[high])
