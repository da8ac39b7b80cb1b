"""All clips of a gallery, by several processes; what was made before is kept."""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from aim_jax.evaluation.gallery.clip import Clip, make_clip


def make_clips(
    tasks: Sequence[str],
    settings: Sequence[str],
    seed_start: int,
    folder: Path,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Clip]:
    """The clips of all tasks in all settings, ordered by task.

    Args:
        tasks: their names.
        settings: "easy", "hard".
        seed_start: the first seed that is tried for each.
        folder: of the clips.
        workers: processes; each renders on one core.
        progress: told how many clips are there, and of how many.
    """
    # Before the processes start: the software renderer reads it once.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    wanted = list(itertools.product(tasks, settings))
    # A process that has shown many scenes holds much of the driver's memory.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), max_tasks_per_child=20) as pool:
        under_way = {pool.submit(make_clip, *key, seed_start, folder): key for key in wanted}
        clips = {}
        for future in as_completed(under_way):
            clips[under_way[future]] = future.result()
            progress(len(clips), len(wanted))
    return [clips[key] for key in wanted]
