"""Which round of Stage II is handed on: the one that did best on validation layouts, Stage I among them.

A policy that acts well already fails seldom, so that few rollouts teach anything and updates are mostly noise. What
takes its place should hence have shown that it is better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from aim_jax.config import ExperimentConfig
from aim_jax.policy.agent import Agent
from aim_jax.policy.rollouts import run_episodes
from aim_jax.sim.pool import EnvPool, Job


@dataclass(frozen=True)
class BestRound:
    """JSON-able: kept with the rounds.

    Attributes:
        number: the round whose policy is the best so far; 0 for Stage I.
        successes: its successes on the validation layouts.
    """

    number: int
    successes: int

    @classmethod
    def of(cls, position: dict[str, Any]) -> BestRound | None:
        """As it was kept with a round; None without validation."""
        kept = position.get("best")
        return cls(**kept) if kept else None


def validation_successes(agent: Agent, pool: EnvPool, experiment: ExperimentConfig) -> int:
    """Successes without exploration on the validation layouts, with the same noise every time.

    Args:
        agent: the policy.
        pool: at least `eval.envs` slots.
        experiment: its Stage II says which layouts and how long; they go round the tasks.

    Returns:
        How many of `grpo.val_episodes` reached their goal within `grpo.max_chunks`.
    """
    config, tasks = experiment.grpo, experiment.tasks
    jobs = [Job(tasks[i % len(tasks)], config.seed_start + i, experiment.setting) for i in range(config.val_episodes)]
    episodes = run_episodes(
        agent,
        pool,
        jobs,
        batch=experiment.eval.envs,
        key=jax.random.key(config.seed),
        max_chunks=config.max_chunks,
    )
    return sum(episode.success for episode in episodes)
