"""Workers that die or hang: every seed ends with one outcome, and the others go on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from aim_jax.sim.camera_config import CameraConfig
from aim_jax.sim.collection.collect import CollectSpec, collect
from aim_jax.sim.collection.expert_episode import EpisodeOutcome
from aim_jax.sim.collection.workers import Job, LocalBackend, Workers

SMALL = CameraConfig(height=24, width=32)


def job(seed: int, task: str = "click_bell") -> Job:
    return Job(task, seed, "easy", 4, SMALL, None)


class Scripted:
    """A backend whose workers do what `script` says for a seed: "good", "dies", "dies once" or "hangs"."""

    def __init__(self, script: dict[int, str]) -> None:
        self.script, self.started, self.stopped = dict(script), 0, 0
        self.jobs: dict[int, Job] = {}

    def start(self) -> list[int]:
        self.started += 1
        return [self.started]

    def submit(self, worker: Any, job: Job) -> None:
        self.jobs[id(worker)] = job

    def wait(self, workers: Sequence[Any], seconds: float) -> list[tuple[Any, EpisodeOutcome | None]]:
        for worker in workers:
            seed = self.jobs[id(worker)].seed
            what = self.script.get(seed, "good")
            if what == "hangs":
                continue
            if what == "dies once":
                self.script[seed] = "good"
            return [(worker, EpisodeOutcome(seed, True) if what == "good" else None)]
        time.sleep(seconds)
        return []

    def stop(self, worker: Any) -> None:
        self.stopped += 1


def run(backend: Scripted, seeds: range, count: int = 2) -> dict[int, EpisodeOutcome]:
    found: dict[int, EpisodeOutcome] = {}
    waiting = list(seeds)
    with Workers(backend, count, deadline=0.05) as workers:
        while waiting or len(workers):
            while waiting and workers.free:
                workers.submit(job(waiting.pop(0)))
            for done, outcome in workers.results():
                assert done.seed == outcome.seed
                assert done.seed not in found
                found[done.seed] = outcome
    return found


def test_a_seed_whose_worker_dies_is_tried_once_more() -> None:
    backend = Scripted({1: "dies once", 3: "dies"})
    found = run(backend, range(5))
    assert sorted(found) == list(range(5))
    assert [seed for seed, outcome in found.items() if not outcome.success] == [3]
    assert "died twice" in found[3].reason
    assert backend.started == 2 + 3  # one anew after each death
    assert backend.stopped == backend.started


def test_a_seed_that_hangs_is_given_up_and_the_others_go_on() -> None:
    backend = Scripted({0: "hangs", 2: "hangs"})
    found = run(backend, range(6))
    assert sorted(found) == list(range(6))
    assert [seed for seed, outcome in found.items() if not outcome.success] == [0, 2]
    assert "no result within" in found[0].reason


def test_real_processes_are_killed_and_replaced() -> None:
    backend = LocalBackend()
    with Workers(backend, 1, deadline=300) as workers:
        workers.submit(job(0, "no_such_task"))
        worker = workers._lanes[0].worker
        worker.process.kill()
        # Started anew, it says that there is no such task: a mistake of the user, which ends everything.
        with pytest.raises(Exception, match="There is no task 'no_such_task'"):
            workers.results()
        assert workers._lanes[0].worker.process.pid != worker.process.pid


@pytest.mark.sim
@pytest.mark.slow
def test_a_ray_cluster_collects_the_same_episodes(tmp_path) -> None:
    from aim_jax.sim.collection.ray_workers import RayBackend

    spec = CollectSpec("click_bell", 2, seed_start=7, cameras=SMALL, folder=tmp_path / "ray")
    outcomes = collect(spec, 1, backend=RayBackend("local"))
    assert [(outcome.seed, outcome.success) for outcome in outcomes] == [(7, True), (8, True)]
    here = collect(CollectSpec("click_bell", 2, seed_start=7, cameras=SMALL, folder=tmp_path / "here"))
    from aim_jax.data.episode import read_episode

    for one, other in zip(outcomes, here, strict=True):
        assert one.path != other.path
        assert (read_episode(one.path).states == read_episode(other.path).states).all()
