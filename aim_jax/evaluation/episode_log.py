"""The log of an evaluation, a line per seed, and what is counted from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aim_jax.evaluation.wilson import SuccessRate, wilson
from aim_jax.policy.rollouts import Episode


@dataclass(frozen=True)
class EpisodeLog:
    """One evaluated episode.

    Attributes:
        task: simulator task.
        seed: of the layout.
        instruction: what was asked for.
        success: whether the goal was reached within the step limit.
        steps: control steps.
        chunks: calls of the policy.
        unstable: why there was no episode: what of the layout moved by itself. Such a seed counts for nobody.
    """

    task: str
    seed: int
    instruction: str
    success: bool
    steps: int
    chunks: int
    unstable: str = ""


def success_rates(logs: Sequence[EpisodeLog]) -> dict[str, SuccessRate]:
    """The success of each task of which there are episodes."""
    played: dict[str, list[bool]] = {}
    for log in logs:
        if not log.unstable:
            played.setdefault(log.task, []).append(log.success)
    return {task: wilson(sum(found), len(found)) for task, found in played.items()}


def unstable_seeds(logs: Sequence[EpisodeLog]) -> dict[str, list[int]]:
    """The seeds of each task that have no episode, if there are any."""
    seeds: dict[str, list[int]] = {}
    for log in logs:
        if log.unstable:
            seeds.setdefault(log.task, []).append(log.seed)
    return seeds


def log_of(episode: Episode) -> EpisodeLog:
    """The line of an episode in the log."""
    return EpisodeLog(
        episode.job.task,
        episode.job.seed,
        episode.start.instruction,
        episode.success,
        episode.steps,
        len(episode.chunks),
    )


def as_json(rates: dict[str, SuccessRate], logs: list[EpisodeLog]) -> dict[str, Any]:
    """JSON form of an evaluation."""
    return {
        "tasks": {task: asdict(rate) for task, rate in rates.items()},
        "unstable": unstable_seeds(logs),
        "episodes": [asdict(log) for log in logs],
    }
