"""The scripted experts under the evaluation protocol: what is possible at all on these seeds."""

from __future__ import annotations

from aim_jax.config import ExperimentConfig
from aim_jax.evaluation.episode_log import EpisodeLog, success_rates
from aim_jax.evaluation.finished import Finished
from aim_jax.evaluation.wilson import SuccessRate
from aim_jax.sim.camera_config import CameraConfig
from aim_jax.sim.collection.collect import CollectSpec, collect


def evaluate_expert(
    experiment: ExperimentConfig, finished: Finished | None = None
) -> tuple[dict[str, SuccessRate], list[EpisodeLog]]:
    """Success rate by task on the evaluation's seeds, and the log of all seeds. Nothing is rendered.

    Unstable layouts count for nothing, as in `evaluate`, nor do seeds that the machine lost. The experts' success is
    RoboTwin's: the goal is reached at the end of the episode. `finished` as in `evaluate`; a task with a lost seed is
    not kept.
    """
    protocol = experiment.eval
    logs: list[EpisodeLog] = []
    for task in experiment.tasks:
        if (known := finished.read(task) if finished else None) is not None:
            logs += known
            continue
        spec = CollectSpec(task, protocol.episodes, protocol.seed_start, experiment.setting, 4, CameraConfig(), None)
        outcomes = collect(spec, protocol.workers)
        new = [
            EpisodeLog(task, o.seed, "", o.success, o.steps, 0, o.reason if o.unstable or o.lost else "")
            for o in outcomes
        ]
        if finished and not any(outcome.lost for outcome in outcomes):
            finished.add(task, new)
        logs += new
    return success_rates(logs), logs
