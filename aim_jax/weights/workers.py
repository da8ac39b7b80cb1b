"""Tensors side by side on a few threads, never more of them in memory than there are threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

WORKERS = 2
"""Threads: one can transpose while another waits for the disk; more would only hold more memory."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`work(item)` of each item, in order; at most `WORKERS` items are under way.

    An exception of `work` arrives here; items already under way are finished first.
    """
    source = iter(items)
    with ThreadPoolExecutor(WORKERS) as pool:
        running: list[Future[Result]] = [pool.submit(work, item) for item in islice(source, WORKERS)]
        while running:
            result = running.pop(0).result()
            running.extend(pool.submit(work, item) for item in islice(source, 1))
            yield result
