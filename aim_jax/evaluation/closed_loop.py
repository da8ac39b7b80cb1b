"""Closed-loop evaluation: success rates on seeds that training never saw."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Literal, cast

import jax

from aim_jax.config import ExperimentConfig
from aim_jax.evaluation.episode_log import EpisodeLog, log_of, success_rates
from aim_jax.evaluation.finished import Finished
from aim_jax.evaluation.wilson import SuccessRate
from aim_jax.policy.agent import Agent
from aim_jax.policy.rollouts import run_episodes
from aim_jax.policy.schedule import Mode
from aim_jax.sim.pool import EnvPool, Job


def instruction_split(experiment: ExperimentConfig) -> Literal["seen", "unseen"]:
    """The evaluation's templates: the configured ones, or those of RoboTwin's file for the setting.

    `demo_clean` evaluates on seen templates, `demo_randomized` on unseen ones.
    """
    given = experiment.eval.instructions or ("seen" if experiment.setting == "easy" else "unseen")
    return cast(Literal["seen", "unseen"], given)


def evaluation_jobs(experiment: ExperimentConfig, task: str, seeds: range | None = None) -> list[Job]:
    """The episodes of a task by the experiment's protocol: its seeds, or those given."""
    config = experiment.eval
    split = instruction_split(experiment)
    seeds = range(config.seed_start, config.seed_start + config.episodes) if seeds is None else seeds
    return [Job(task, seed, experiment.setting, split, "eval") for seed in seeds]


def evaluate(
    agent: Agent,
    experiment: ExperimentConfig,
    *,
    tasks: Sequence[str] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    finished: Finished | None = None,
    mode: Mode = "sync",
    waited: Callable[[float], None] = lambda seconds: None,
    planned: Callable[[float], None] = lambda seconds: None,
) -> tuple[dict[str, SuccessRate], list[EpisodeLog]]:
    """Evaluates a policy on every task.

    A seed whose layout is unstable counts for nothing: its line in the log says so. The noise of a task's episodes is
    its own, whatever else is evaluated beside it.

    Args:
        agent: the policy.
        experiment: tasks and protocol.
        tasks: those of the experiment unless given.
        progress: told the seeds done and all seeds.
        finished: where tasks that were evaluated before are, and those evaluated now are kept.
        mode: as in `run_episodes`.
        waited: as there.
        planned: as there.

    Returns:
        Success rate by task, without tasks that have no stable layout, and the log of all seeds.
    """
    config = experiment.eval
    names = list(tasks or experiment.tasks)
    logs: list[EpisodeLog] = []
    with EnvPool(config.envs, config.workers, experiment.canvas) as pool:
        for number, task in enumerate(names):
            if (known := finished.read(task) if finished else None) is not None:
                logs += known
                continue
            base, found = number * config.episodes, Unplayed()
            episodes = run_episodes(
                agent,
                pool,
                evaluation_jobs(experiment, task),
                batch=config.envs,
                key=jax.random.fold_in(jax.random.key(experiment.rollout.seed), zlib.crc32(task.encode())),
                progress=lambda done, _, base=base: progress(base + done, len(names) * config.episodes),
                instead=found.leave_out,
                mode=mode,
                waited=waited,
                planned=planned,
            )
            new = sorted([*map(log_of, episodes), *found.logs], key=lambda log: log.seed)
            if finished:
                finished.add(task, new)
            logs += new
    return success_rates(logs), logs


class Unplayed:
    """Jobs that are left out because their layouts are unstable; `logs` are their lines in the log."""

    def __init__(self) -> None:
        self.logs: list[EpisodeLog] = []

    def leave_out(self, job: Job, reason: str) -> None:
        """Notes it: for `run_episodes`."""
        self.logs.append(EpisodeLog(job.task, job.seed, "", False, 0, 0, reason))
