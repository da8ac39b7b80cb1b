"""The scripted experts under the evaluation protocol: what is possible at all on these seeds."""

from __future__ import annotations

from aim_jax.config import ExperimentConfig
from aim_jax.evaluation.closed_loop import EpisodeLog
from aim_jax.evaluation.wilson import SuccessRate, wilson
from aim_jax.sim.camera_config import CameraConfig
from aim_jax.sim.collection.collect import CollectSpec, collect


def evaluate_expert(experiment: ExperimentConfig) -> tuple[dict[str, SuccessRate], list[EpisodeLog]]:
    """Success rate by task on the evaluation's seeds, and the log of all episodes. Nothing is rendered."""
    protocol = experiment.eval
    rates: dict[str, SuccessRate] = {}
    logs: list[EpisodeLog] = []
    for task in experiment.tasks:
        spec = CollectSpec(task, protocol.episodes, protocol.seed_start, experiment.setting, 4, CameraConfig(), None)
        outcomes = collect(spec, protocol.workers, lambda outcome: None)
        rates[task] = wilson(sum(o.success for o in outcomes), len(outcomes))
        logs += [EpisodeLog(task, o.seed, "", o.success, o.steps, 0) for o in outcomes]
    return rates, logs
