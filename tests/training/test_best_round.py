"""Stage II hands on what did best on validation layouts. Rollouts and updates are stand-ins here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jax
import pytest

from aim_jax.config import ExperimentConfig
from aim_jax.policy.agent import Agent
from aim_jax.seeds import STAGE2, planned
from aim_jax.sim.pool import EnvPool, Job
from aim_jax.training import best_round, stage2
from aim_jax.training.checkpoint import read_params, tree_hash
from aim_jax.training.config import GRPOConfig
from aim_jax.training.stage2 import improve
from aim_jax.training.stage2_update import split
from tests.policy.tiny_agent import tiny_agent


@pytest.mark.parametrize(
    ("every", "iterations", "validated"), [(1, 3, [0, 1, 2, 3]), (10, 3, [0, 3]), (2, 5, [0, 2, 4, 5])]
)
def test_stage1_and_the_last_round_are_always_validated(every: int, iterations: int, validated: list[int]) -> None:
    config = GRPOConfig(iterations=iterations, val_episodes=4, val_every=every)
    assert [number for number in range(iterations + 1) if config.validates(number)] == validated
    assert not any(GRPOConfig(iterations=iterations).validates(number) for number in range(iterations + 1))


def _experiment(iterations: int = 3, val_episodes: int = 8) -> ExperimentConfig:
    grpo = GRPOConfig(iterations=iterations, group=2, groups=2, minibatch=4, val_episodes=val_episodes, val_every=1)
    return ExperimentConfig("best", grpo=grpo)


def _head(agent: Agent) -> str:
    return tree_hash(split(agent.params)[0])


class Rounds:
    """Stands in for rollouts and updates: each round adds one to every parameter; successes are as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, successes: list[int]) -> None:
        self.heads: list[str] = []
        self._successes: Iterator[int] = iter(successes)
        monkeypatch.setattr(stage2, "EnvPool", lambda *_: nullcontext())
        monkeypatch.setattr(stage2, "_rollouts", lambda *_: [])
        monkeypatch.setattr(stage2, "_round", self._round)
        monkeypatch.setattr(stage2, "validation_successes", self._validate)

    def _round(self, update: Any, agent: Any, experiment: Any, state: Any, *_: Any) -> Any:
        moved = jax.tree.map(lambda x: x + 1, state["action"])
        return {**state, "action": moved, "round": state["round"] + 1}, {}

    def _validate(self, agent: Agent, *_: Any) -> int:
        self.heads.append(_head(agent))
        return next(self._successes)


@pytest.mark.parametrize(
    ("successes", "best"), [([5, 4, 6, 5], 2), ([5, 4, 4, 4], 0), ([5, 5, 6, 6], 2), ([0, 0, 0, 1], 3)]
)
def test_the_best_round_is_handed_on_and_of_equals_the_earliest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, successes: list[int], best: int
) -> None:
    rounds, agent = Rounds(monkeypatch, successes), tiny_agent()
    metrics = improve(agent, _experiment(), tmp_path, {})
    shares = {"grpo/val_success": successes[-1] / 8, "grpo/val_best": successes[best] / 8}
    assert metrics == {**shares, "grpo/best_round": best}
    assert len(set(rounds.heads)) == 4
    assert _head(agent) == rounds.heads[best]
    stored = read_params(tmp_path / "checkpoints", jax.eval_shape(lambda: agent.params))
    assert tree_hash(split(stored)[0]) == rounds.heads[best]


def test_a_stopped_run_knows_its_best_round_and_goes_on_from_its_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = Rounds(monkeypatch, [5, 6, 4, 5])
    improve(tiny_agent(), _experiment(), tmp_path / "whole", {})
    improve_first = Rounds(monkeypatch, [5, 6])
    improve(tiny_agent(), _experiment(iterations=1), tmp_path / "parts", {})
    after, agent = Rounds(monkeypatch, [4, 5]), tiny_agent()
    metrics = improve(agent, _experiment(), tmp_path / "parts", {})
    assert improve_first.heads + after.heads == whole.heads
    assert metrics["grpo/best_round"] == 1
    assert _head(agent) == whole.heads[1]


def test_without_validation_the_last_round_is_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rounds, agent = Rounds(monkeypatch, []), tiny_agent()
    before = _head(agent)
    improve(agent, _experiment(val_episodes=0), tmp_path, {})
    assert rounds.heads == []
    assert _head(agent) != before


def test_validation_has_layouts_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[Job]] = {}

    def noted(name: str) -> Any:
        return lambda agent, pool, jobs, **_: seen.setdefault(name, []).extend(jobs) or []

    experiment = _experiment()
    monkeypatch.setattr(best_round, "run_episodes", noted("validation"))
    monkeypatch.setattr(stage2, "run_episodes", noted("rounds"))
    agent, pool = tiny_agent(), object.__new__(EnvPool)
    best_round.validation_successes(agent, pool, experiment)
    for number in range(experiment.grpo.iterations):
        stage2._rollouts(agent, agent.plan, pool, experiment, number)
    validation, rounds = ({job.seed for job in seen[name]} for name in ("validation", "rounds"))
    assert len(validation) == 8
    assert not validation & rounds
    assert validation | rounds == set(planned(experiment)[STAGE2])
