"""The gallery's episodes come from workers that may die, and a layout that fails is followed by the next one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aim_jax.evaluation.gallery import make
from aim_jax.evaluation.gallery.clip import Clip
from aim_jax.sim.collection.expert_episode import EpisodeOutcome
from aim_jax.sim.collection.workers import Job

TASKS = [f"task_{number}" for number in range(60)]


class Backend:
    """Workers in this process. The one on the third task dies at its first try; odd tasks need a second layout."""

    def __init__(self) -> None:
        self.died: set[str] = set()

    def start(self) -> dict[str, Job]:
        return {}

    def submit(self, worker: dict[str, Job], job: Job) -> None:
        worker["job"] = job

    def up(self, worker: dict[str, Job]) -> bool:
        return True

    def wait(self, workers: Sequence[dict[str, Job]], seconds: float) -> list[tuple[Any, EpisodeOutcome | None]]:
        return [(worker, self._outcome(worker["job"])) for worker in workers]

    def stop(self, worker: dict[str, Job]) -> None: ...

    def _outcome(self, job: Job) -> EpisodeOutcome | None:
        if job.task == "task_2" and job.task not in self.died:
            self.died.add(job.task)
            return None
        if job.task == "task_4" or (int(job.task[5:]) % 2 and job.seed == 7):
            return EpisodeOutcome(job.seed, False, reason="missed")
        return EpisodeOutcome(job.seed, True, path=f"{job.seed}.hdf5")


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    def film(job: Job, path: str | None, failures: list[tuple[int, str]], folder: Path) -> Clip:
        return Clip(job.task, job.setting, None if path is None else job.seed, failures=list(failures))

    monkeypatch.setattr(make, "LocalBackend", Backend)
    monkeypatch.setattr(make, "make_clip", film)


@pytest.mark.parametrize("workers", [1, 2])
def test_all_clips_come_in_order_whatever_befalls_the_workers(workers: int, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    clips = make.make_clips(TASKS, ["easy"], 7, tmp_path, workers, lambda *step: told.append(step))
    assert [clip.task for clip in clips] == TASKS
    assert [clip.seed for clip in clips[:4]] == [7, 8, 7, 8]
    assert clips[1].failures == [(7, "missed")]
    assert clips[4].seed is None
    assert [seed for seed, _ in clips[4].failures] == list(range(7, 7 + make.SEEDS))
    assert told[-1] == (60, 60)
