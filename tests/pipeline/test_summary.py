"""The summary of a run holds intervals, times and disjoint seeds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from aim_jax.config import ExperimentConfig
from aim_jax.evaluation.report.run_data import read_run
from aim_jax.evaluation.wilson import wilson
from aim_jax.files import read_json, write_json
from aim_jax.pipeline.summary import result_path, seeds, write_summary
from aim_jax.training.config import GRPOConfig


def test_a_summary_is_what_the_report_reads(tmp_path: Path) -> None:
    experiment = ExperimentConfig("t", tasks=("click_bell",))
    for stage, successes in (("expert", 50), ("stage1", 40)):
        path = result_path(tmp_path, stage)
        write_json(path, {"tasks": {"click_bell": wilson(successes, 50)}})
    write_summary(tmp_path, experiment, {"collect": 3.0})
    data = read_run(tmp_path)
    assert data.tasks == {"click_bell": {"expert": wilson(50, 50), "stage1": wilson(40, 50)}}
    assert data.phases == {"collect": 3.0}
    assert read_json(tmp_path / "summary.json")["config"]["name"] == "t"


@pytest.mark.parametrize(
    ("number", "who"), [(0, "Stage I's policy, which no round beat"), (2, "the policy of round 2")]
)
def test_what_stage2_handed_on_is_told(tmp_path: Path, number: int, who: str) -> None:
    experiment = ExperimentConfig("t", grpo=GRPOConfig(val_episodes=25))
    assert write_summary(tmp_path, experiment, {})["notes"] == []
    metrics = tmp_path / "stage2" / "metrics"
    metrics.mkdir(parents=True)
    row = {"step": 3, "grpo/best_round": number, "grpo/val_success": 0.84, "grpo/val_best": 0.88}
    (metrics / "grpo.jsonl").write_text(json.dumps(row) + "\n")
    write_json(result_path(tmp_path, "stage2"), {"tasks": {"click_bell": wilson(40, 50)}})
    told = f"Stage II handed on {who}: 88% on 25 validation layouts, the last round's 84%."
    assert write_summary(tmp_path, experiment, {})["notes"] == [told]
    assert list(read_run(tmp_path).notes) == [told]


def test_seeds_are_named_by_their_ends() -> None:
    experiment = ExperimentConfig("t")
    evaluation = dataclasses.replace(experiment.eval, seed_start=100_000, episodes=50)
    named = seeds(dataclasses.replace(experiment, eval=evaluation))
    assert named["evaluation layouts"] == "100000–100049"
    assert named["evaluation layouts also used for"] == "none"


def test_a_demonstration_that_is_evaluated_again_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "episodes" / "click_bell" / "easy"
    folder.mkdir(parents=True)
    for seed in (3, 100_020):
        (folder / f"episode_{seed:07d}.hdf5").touch()
    named = seeds(ExperimentConfig("t"), tmp_path)
    assert named["demonstration layouts"] == "3–100020, 100 successes per task"
    assert named["evaluation layouts also used for"] == "demonstrations"
