"""`summary.json` of a run: success of each policy, time of each phase, and what the run was made with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aim_jax.config import ExperimentConfig
from aim_jax.evaluation.report.run_data import STAGES, read_curves
from aim_jax.files import read_json, write_json
from aim_jax.seeds import DEMONSTRATIONS, EVALUATION, planned, seed_report
from aim_jax.versions import versions

SUMMARY_NAME = "summary.json"


def write_summary(run: Path, experiment: ExperimentConfig, seconds: Mapping[str, float]) -> dict[str, Any]:
    """Writes `summary.json` from the evaluations found in `run/evaluation/STAGE/result.json`, and returns it.

    Args:
        run: folder of the run.
        experiment: its resolved configuration.
        seconds: time of each phase so far.
    """
    summary = {
        "tasks": {task: task_rates(run, task) for task in experiment.tasks},
        "notes": handed_on(run, experiment),
        "phases": dict(seconds),
        "versions": versions(),
        "seeds": seeds(experiment, run),
        "config": experiment,
    }
    write_json(run / SUMMARY_NAME, summary)
    return summary


def result_path(run: Path, stage: str) -> Path:
    """Where the evaluation of a stage is: what `aim eval --json` wrote."""
    return run / "evaluation" / stage / "result.json"


def task_rates(run: Path, task: str) -> dict[str, dict[str, Any]]:
    """Stage → successes, episodes and the 95 % interval, for the stages that were evaluated."""
    rates = {}
    for stage in STAGES:
        if (path := result_path(run, stage)).exists() and task in (results := read_json(path)["tasks"]):
            rates[stage] = results[task]
    return rates


def handed_on(run: Path, experiment: ExperimentConfig) -> list[str]:
    """Which round's policy Stage II handed on, as a sentence; nothing before its first validation."""
    path = run / "stage2" / "metrics" / "grpo.jsonl"
    last = {curve.name: curve.values[-1] for curve in read_curves(path)} if path.exists() else {}
    if "grpo/val_best" not in last:
        return []
    number, count = int(last["grpo/best_round"]), experiment.grpo.val_episodes
    layouts = f"{count} validation layout{'s' if count > 1 else ''}"
    who = f"the policy of round {number}" if number else "Stage I's policy, which no round beat"
    best, latest = last["grpo/val_best"], last["grpo/val_success"]
    return [f"Stage II handed on {who}: {best:.0%} on {layouts}, the last round's {latest:.0%}."]


def seeds(experiment: ExperimentConfig, run: Path | None = None) -> dict[str, Any]:
    """What was seeded with what, and whether a layout of the evaluation was also one of training or Stage II.

    Args:
        experiment: what was planned.
        run: folder with what came of it; the demonstrations' last seed is known there.
    """
    collect, grpo, evaluation = experiment.collect, experiment.grpo, experiment.eval
    ranges = planned(experiment)
    if run is not None and (found := demonstration_seeds(run)):
        ranges[DEMONSTRATIONS] = found
        demonstrations = f"{found.start}–{found.stop - 1}, {collect.episodes} successes per task"
    else:
        demonstrations = f"from {collect.seed_start}, {collect.episodes} successes per task"
    shared = seed_report(ranges.pop(EVALUATION), ranges)["shared_with"]
    return {
        "demonstration layouts": demonstrations,
        "Stage I": experiment.train.seed,
        "Stage II layouts": _span(grpo.seed_start, grpo.layouts),
        "Stage II noise": grpo.seed,
        "evaluation layouts": _span(evaluation.seed_start, evaluation.episodes),
        "evaluation layouts also used for": ", ".join(shared) or "none",
        "policy noise": experiment.rollout.seed,
    }


def demonstration_seeds(run: Path) -> range:
    """From the first to the last seed of which there is a demonstration in `run`."""
    found = [int(path.stem.removeprefix("episode_")) for path in run.glob("data/episodes/*/*/episode_*.hdf5")]
    return range(min(found), max(found) + 1) if found else range(0)


def _span(start: int, count: int) -> str:
    return f"{start}–{start + count - 1}"
