"""All clips of a gallery, by several processes; what was made before is kept."""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from pathlib import Path

from aim_jax.data.timeline import FRAME_STRIDE
from aim_jax.evaluation.gallery.clip import Clip, kept_clip, make_clip
from aim_jax.sim.camera_config import CameraConfig
from aim_jax.sim.collection.workers import DEADLINE, Job, LocalBackend, Workers

SEEDS = 10
"""Layouts tried before a task is shown as one without a successful episode."""


def make_clips(
    tasks: Sequence[str],
    settings: Sequence[str],
    seed_start: int,
    folder: Path,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Clip]:
    """The clips of all tasks in all settings, ordered by task; each shows the first seed on which the expert succeeds.

    Args:
        tasks: their names.
        settings: "easy", "hard".
        seed_start: the first seed that is tried for each.
        folder: of the clips; the episodes' HDF5 files go into `episodes`.
        workers: processes; each renders on one core.
        progress: told how many clips are there, and of how many.

    Raises:
        AimError: nothing can be simulated here, such as without a Vulkan driver.
    """
    wanted = list(itertools.product(tasks, settings))
    clips = {key: kept for key in wanted if (kept := kept_clip(*key, folder)) is not None}
    waiting = deque(_job(*key, seed_start, folder) for key in wanted if key not in clips)
    failures: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    with Workers(LocalBackend(), workers, DEADLINE) as busy:
        while waiting or len(busy):
            while waiting and busy.free:
                busy.submit(waiting.popleft())
            for job, outcome in busy.results():
                key = job.task, job.setting
                if outcome.path is None:
                    failures[key].append((job.seed, outcome.reason))
                    if len(failures[key]) < SEEDS:
                        waiting.appendleft(job._replace(seed=job.seed + 1))
                        continue
                clips[key] = make_clip(job, outcome.path, failures[key], folder)
                progress(len(clips), len(wanted))
    return [clips[key] for key in wanted]


def _job(task: str, setting: str, seed: int, folder: Path) -> Job:
    return Job(task, seed, setting, FRAME_STRIDE, CameraConfig(), folder / "episodes" / task / setting)
