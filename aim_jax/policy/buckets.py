"""Batch sizes that are compiled, and how a number of rows is divided among them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def bucket_sizes(largest: int) -> tuple[int, ...]:
    """Powers of two below `largest`, and `largest`."""
    sizes = [1]
    while sizes[-1] < largest:
        sizes.append(min(2 * sizes[-1], largest))
    return tuple(sizes)


def parts(items: Sequence[Item], seconds: Mapping[int, float]) -> list[Sequence[Item]]:
    """Divides rows so that working them off takes the least time.

    A part is padded to the smallest bucket that holds it: 11 rows may be worked off sooner as 8, 2 and 1 than as 16.

    Args:
        items: the rows.
        seconds: what a call of each bucket takes.
    """
    divided, start = [], 0
    for count in _split(len(items), tuple(sorted(seconds.items()))):
        divided.append(items[start : start + count])
        start += count
    return divided


@functools.lru_cache(maxsize=1024)
def _split(count: int, seconds: tuple[tuple[int, float], ...]) -> tuple[int, ...]:
    """Rows of each part, by dynamic programming over how many are left; among equals the fewest parts."""
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    for rows in range(1, count + 1):
        ways = []
        for size, cost in seconds:
            taken = min(size, rows)
            rest, others = best[rows - taken]
            ways.append((cost + rest, (taken, *others)))
        best.append(min(ways, key=lambda way: (way[0], len(way[1]))))
    return best[count][1]
