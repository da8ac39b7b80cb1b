"""An evaluation of many tasks goes on where it was ended, and both settings end in the paper's tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aim_jax.commands import eval as eval_command
from aim_jax.errors import AimError
from aim_jax.evaluation import closed_loop, experts, load
from aim_jax.evaluation.closed_loop import evaluate
from aim_jax.evaluation.experts import evaluate_expert
from aim_jax.evaluation.finished import Finished
from aim_jax.sim.collection.expert_episode import EpisodeOutcome
from tests.evaluation.test_unstable import EXPERIMENT, Noting, Shaky

PROTOCOL = {"policy": "abc", "seed_start": 100_000}


class Breaking(Shaky):
    """Ends like a killed process when the second task begins."""

    def reset(self, jobs):
        if any(job.task == "lift_pot" for job in jobs.values()):
            raise KeyboardInterrupt
        return super().reset(jobs)


def test_finished_tasks_are_not_evaluated_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(closed_loop, "EnvPool", Shaky)
    whole = evaluate(Noting(), EXPERIMENT)
    monkeypatch.setattr(closed_loop, "EnvPool", Breaking)
    with pytest.raises(KeyboardInterrupt):
        evaluate(Noting(), EXPERIMENT, finished=Finished(tmp_path, "easy", PROTOCOL))
    assert [path.name for path in (tmp_path / "easy").iterdir()] == ["click_bell.json"]
    begun: list[str] = []

    class Counting(Shaky):
        def reset(self, jobs):
            begun.extend(job.task for job in jobs.values())
            return super().reset(jobs)

    monkeypatch.setattr(closed_loop, "EnvPool", Counting)
    assert evaluate(Noting(), EXPERIMENT, finished=Finished(tmp_path, "easy", PROTOCOL)) == whole
    assert set(begun) == {"lift_pot"}


def test_another_evaluation_is_refused_with_what_differs(tmp_path: Path) -> None:
    Finished(tmp_path, "easy", PROTOCOL).add("click_bell", [])
    with pytest.raises(AimError, match=r"click_bell\.json holds another.*Wanted: policy xyz.*Got: policy abc.*--out"):
        Finished(tmp_path, "easy", PROTOCOL | {"policy": "xyz"}).read("click_bell")
    assert Finished(tmp_path, "hard", PROTOCOL).read("click_bell") is None


def test_a_task_with_a_seed_that_the_machine_lost_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outcomes = [EpisodeOutcome(100_000, True, steps=9), EpisodeOutcome(100_001, False, lost=True, reason="late")]
    monkeypatch.setattr(experts, "collect", lambda spec, workers: outcomes if spec.task == "lift_pot" else outcomes[:1])
    finished = Finished(tmp_path, "easy", PROTOCOL)
    rates, _ = evaluate_expert(EXPERIMENT, finished)
    assert rates["lift_pot"].episodes == 1
    assert finished.read("lift_pot") is None
    assert finished.read("click_bell") is not None


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """A policy for `aim eval` that needs no simulator; `params` are its parameters."""
    parameters: dict[str, Any] = {"params": {"w": 1.0}}

    def loaded(path: Path, trained: bool) -> load.Loaded:
        agent = Noting()
        agent.params = parameters["params"]
        return load.Loaded(agent, EXPERIMENT, {}, tmp_path)

    monkeypatch.setattr(load, "load_policy", loaded)
    monkeypatch.setattr(closed_loop, "EnvPool", Shaky)
    return parameters


def test_both_settings_end_in_the_papers_tables(
    policy: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = eval_command.Args(setting="easy,hard", out=tmp_path / "logs", json=str(tmp_path / "all.json"))
    assert eval_command.main(args) == 0
    said = capsys.readouterr().out
    assert "easy, click_bell: 3 of 3 = 100 %" in said
    assert "hard, lift_pot: 1 unstable layouts counted apart, seeds 100001" in said
    assert "| click_bell | 100.0 | 100.0 | 99.0 | 66.0 |" in said
    data = json.loads((tmp_path / "all.json").read_text())
    assert {name: part["manifest"]["instructions"] for name, part in data["settings"].items()} == {
        "easy": "seen",
        "hard": "unseen",
    }
    assert data["tables"]["tasks"] == {"easy": 2, "hard": 2}
    policy["params"] = {"w": 2.0}
    with pytest.raises(AimError, match="holds another evaluation"):
        eval_command.main(args)


def test_one_setting_keeps_its_form(policy: dict[str, Any], tmp_path: Path) -> None:
    assert eval_command.main(eval_command.Args(json=str(tmp_path / "one.json"))) == 0
    data = json.loads((tmp_path / "one.json").read_text())
    assert data["tasks"]["click_bell"]["successes"] == 3
    assert data["manifest"]["setting"] == "easy"
    assert "settings" not in data


def test_the_noise_of_a_task_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task alone and among others: the same episodes."""
    keys: dict[str, list[Any]] = {}

    class Keyed(Noting):
        def plan(self, situation, key):
            keys.setdefault(self.where, []).append(key)
            return super().plan(situation, key)

    monkeypatch.setattr(closed_loop, "EnvPool", Shaky)
    for tasks in (("lift_pot",), ("click_bell", "lift_pot")):
        agent = Keyed()
        agent.where = str(tasks)
        evaluate(agent, replace(EXPERIMENT, tasks=tasks))
    alone, among = keys.values()
    assert [str(key) for key in among[-len(alone) :]] == [str(key) for key in alone]
