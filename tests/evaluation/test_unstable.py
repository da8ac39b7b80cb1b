"""One layout that moves by itself ends neither an evaluation nor a round of Stage II, and counts for nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from aim_jax.commands import eval as eval_command
from aim_jax.config import EvalConfig, ExperimentConfig
from aim_jax.data.canvas import CanvasSpec
from aim_jax.errors import AimError
from aim_jax.evaluation import closed_loop, experts
from aim_jax.evaluation.closed_loop import evaluate, evaluation_jobs, instruction_split
from aim_jax.evaluation.episode_log import as_json
from aim_jax.evaluation.experts import evaluate_expert
from aim_jax.evaluation.manifest import manifest
from aim_jax.policy.agent import Plan, Situation
from aim_jax.policy.memory import Memory
from aim_jax.policy.passes import World
from aim_jax.policy.rollouts import run_episodes
from aim_jax.seeds import SPARE
from aim_jax.sim import pool as pool_module
from aim_jax.sim.collection.expert_episode import EpisodeOutcome
from aim_jax.sim.pool import EnvPool, Job, Outcome, Start, Unstable
from tests.policy.test_schedule import HW, FakeAgent

EXPERIMENT = ExperimentConfig(
    "t", tasks=("click_bell", "lift_pot"), eval=EvalConfig(episodes=4, seed_start=100_000, envs=2, workers=1)
)


class Shaky(EnvPool):
    """Episodes that succeed in their first chunk; the layouts of some seeds are unstable."""

    unstable: frozenset[int] = frozenset({100_001})

    def __init__(self, *_: object) -> None:
        self.begun: list[Job] = []

    def reset(self, jobs):
        eye, canvas, state = np.eye(4), np.zeros((*HW, 3), np.uint8), np.zeros(14, np.float32)
        start = Start(canvas, "go", state, 400, eye[:3, :3], eye[:3], HW)
        self.begun += [job for job in jobs.values() if job.seed not in self.unstable]
        return {s: Unstable("cube moved 9 mm") if job.seed in self.unstable else start for s, job in jobs.items()}

    def step(self, actions, frames_at):
        frames, tcp = np.zeros((8, *HW, 3), np.uint8), np.zeros((32, 2, 3), np.float32)
        return {slot: Outcome(frames, 32, True, True, tcp, planned) for slot, planned in actions.items()}

    def close(self):
        pass


class Noting(FakeAgent):
    """Plans zeros for any number of episodes."""

    def begin(self, canvases, instructions, states):
        self.rows = len(canvases)
        return Situation(Memory(None, None, None, None, None), None, (), None)

    def plan(self, situation, key):
        return Plan(np.zeros((self.rows, 32, 14), np.float32), World(None, None, None), None, None)


def test_stage_two_takes_another_layout_and_the_same_for_a_whole_group(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [Job("click_bell", seed) for seed in (100_000, 100_000, 100_001, 100_001)]
    episodes = run_episodes(Noting(), Shaky(), jobs, batch=4, key=jax.random.key(0))
    assert [episode.job.seed for episode in episodes] == [100_000, 100_000, 100_001 + SPARE, 100_001 + SPARE]
    assert capsys.readouterr().err.count("click_bell, seed 100001: cube moved 9 mm") == 1


def test_a_task_that_is_never_stable_ends_with_its_name() -> None:
    pool = Shaky()
    pool.unstable = frozenset(7 + n * SPARE for n in range(50))
    with pytest.raises(AimError, match=r"click_bell.*unstable.*cube moved 9 mm"):
        run_episodes(Noting(), pool, [Job("click_bell", 7)], batch=1, key=jax.random.key(0))


def test_an_evaluation_goes_on_and_counts_the_seed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closed_loop, "EnvPool", Shaky)
    told: list[int] = []
    rates, logs = evaluate(Noting(), EXPERIMENT, progress=lambda done, total: told.append(done))
    assert {task: (rate.successes, rate.episodes) for task, rate in rates.items()} == {
        "click_bell": (3, 3),
        "lift_pot": (3, 3),
    }
    assert [log.seed for log in logs] == 2 * [100_000, 100_001, 100_002, 100_003]
    assert [log.unstable for log in logs if log.seed == 100_001] == 2 * ["cube moved 9 mm"]
    assert as_json(rates, logs)["unstable"] == {"click_bell": [100_001], "lift_pot": [100_001]}
    assert told[-1] == 8


def test_a_wave_without_any_stable_layout_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shaky, "unstable", frozenset({100_000, 100_001}))
    monkeypatch.setattr(closed_loop, "EnvPool", Shaky)
    rates, _ = evaluate(Noting(), replace(EXPERIMENT, tasks=("click_bell",)))
    assert rates["click_bell"].episodes == 2


def test_experts_are_not_blamed_for_unstable_layouts(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = [
        EpisodeOutcome(100_000, True, steps=9),
        EpisodeOutcome(100_001, False, unstable=True, reason="unstable"),
    ]
    monkeypatch.setattr(experts, "collect", lambda spec, workers: outcomes)
    rates, logs = evaluate_expert(EXPERIMENT)
    assert (rates["lift_pot"].successes, rates["lift_pot"].episodes) == (1, 1)
    assert as_json(rates, logs)["unstable"]["lift_pot"] == [100_001]


@pytest.mark.sim
def test_a_simulator_process_says_so_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aim_jax.sim.env._MAX_DRIFT", -1.0)
    envs: dict[int, object] = {}
    answer = pool_module._reset(envs, 0, Job("stack_blocks_two", 0), CanvasSpec.tiny())
    assert isinstance(answer, Unstable)
    assert "moved" in answer.reason
    assert not envs


def test_a_setting_brings_its_instructions_unless_they_are_given() -> None:
    hard = replace(EXPERIMENT, setting="hard")
    assert (instruction_split(EXPERIMENT), instruction_split(hard)) == ("seen", "unseen")
    assert instruction_split(replace(hard, eval=replace(hard.eval, instructions="seen"))) == "seen"
    assert manifest(hard, "run")["instructions"] == "unseen"


def test_a_setting_asked_for_brings_its_instructions_too() -> None:
    stored = replace(EXPERIMENT, eval=replace(EXPERIMENT.eval, instructions="seen"))
    for flags, split in (({}, "seen"), ({"setting": "hard"}, "unseen"), ({"instructions": "unseen"}, "unseen")):
        assert instruction_split(_asked(stored, **flags)) == split


def _asked(stored: ExperimentConfig, **flags: str) -> ExperimentConfig:
    args = eval_command.Args(**flags)  # pyright: ignore[reportArgumentType]
    return eval_command._overridden(stored, args, args.setting, ())


def test_an_evaluation_on_training_layouts_is_refused_or_told(capsys: pytest.CaptureFixture[str]) -> None:
    shared = replace(EXPERIMENT, eval=replace(EXPERIMENT.eval, seed_start=0))
    with pytest.raises(AimError, match="demonstrations would be used again"):
        eval_command._checked(shared, eval_command.Args())
    assert eval_command._checked(shared, eval_command.Args(seed_start=0)) is shared
    assert "also those of demonstrations" in capsys.readouterr().err


def test_a_rollout_is_seen_as_it_is_evaluated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from aim_jax.commands import rollout
    from aim_jax.evaluation import load, record

    hard = replace(EXPERIMENT, setting="hard")
    seen: list[Job] = []
    monkeypatch.setattr(load, "load_policy", lambda path, trained: load.Loaded(Noting(), hard, {}, tmp_path))
    monkeypatch.setattr(record, "record", lambda agent, experiment, jobs, *_: seen.extend(jobs) or [])
    assert rollout.main(rollout.Args(seed=100_007, episodes=2, out=tmp_path)) == 0
    assert seen == evaluation_jobs(hard, "click_bell", range(100_007, 100_009))
    assert [(job.setting, job.instructions, job.textures) for job in seen] == 2 * [("hard", "unseen", "eval")]
