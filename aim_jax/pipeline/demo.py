"""The phases of the demo: from demonstrations to a report, each a command that can also be run by itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from aim_jax.config import ExperimentConfig
from aim_jax.data.canvas import CanvasSpec
from aim_jax.data.dataset import LATENTS_NAME
from aim_jax.evaluation.report.run_data import STAGES
from aim_jax.pipeline.child import run_aim
from aim_jax.pipeline.expectations import Expectations
from aim_jax.pipeline.phases import Phase, phase_seconds
from aim_jax.pipeline.summary import result_path, write_summary

STAMPS, CONFIG = "phases", "config.py"
RECORDED = 2
"""Episodes per task and stage on video."""
POLICIES = {"expert": "expert", "untrained": "untrained", "stage1": "trained", "stage2": "trained"}


def demo_phases(experiment: ExperimentConfig, run: Path) -> list[Phase]:
    """All phases in order; `run/config.py` must hold the experiment once they run."""
    e = experiment
    phases = [
        _collect(e, run),
        *_dataset(e, run),
        _stage1(e, run),
        *(_evaluation(e, run, stage) for stage in ("expert", "untrained", "stage1")),
        _stage2(e, run),
        _evaluation(e, run, "stage2"),
        *(_recording(e, run, stage) for stage in ("stage1", "stage2")),
    ]
    return [*phases, _report(e, run, [phase.name for phase in phases])]


def _collect(e: ExperimentConfig, run: Path) -> Phase:
    out, c = run / "data" / "episodes", e.collect
    words = ["collect", "--task", ",".join(e.tasks), "--episodes", c.episodes, "--seed-start", c.seed_start]
    words += ["--setting", e.setting, "--workers", c.workers, "--out", out]
    words += ["--wander", c.wander] if c.wander else []
    expected = f"simulates demonstrations, {Expectations(e).collect()}"
    return Phase("collect", expected, partial(run_aim, *words), (e.tasks, e.setting, c), (out,))


def _dataset(e: ExperimentConfig, run: Path) -> list[Phase]:
    out = run / "data" / "dataset"
    canvas = "tiny" if e.canvas == CanvasSpec.tiny() else "full"
    build = ["dataset", "build", "--episodes", run / "data" / "episodes", "--out", out]
    stats = ["dataset", "stats", "--dataset", out]
    encode = ["dataset", "encode", "--dataset", out, "--canvas", canvas]
    encode += ["--chunk-latents", e.model.latents_per_chunk]
    if e.vae != "tiny":
        encode += ["--vae", e.vae]
    if e.text.checkpoint:
        encode += ["--text-checkpoint", e.text.checkpoint, "--text-tokenizer", e.text.tokenizer]
    takes, inputs, latents = (
        Expectations(e),
        (e.canvas, e.vae, e.text, e.model.latents_per_chunk),
        (out / LATENTS_NAME,),
    )
    return [
        Phase("dataset build", f"packs the episodes, {takes.build()}", partial(run_aim, *build), outputs=(out,)),
        Phase("dataset stats", "measures actions and states, a few seconds", partial(run_aim, *stats)),
        Phase(
            "dataset encode", f"encodes frames and maps, {takes.encode()}", partial(run_aim, *encode), inputs, latents
        ),
    ]


def _stage1(e: ExperimentConfig, run: Path) -> Phase:
    out = run / "stage1"
    words = ["train", "--config", run / CONFIG, "--dataset", run / "data" / "dataset", "--out", out]
    expected = f"trains by flow matching, {Expectations(e).stage1()}"
    inputs = (e.model, e.train, e.rollout, e.centre_latents)
    return Phase("stage 1", expected, partial(run_aim, *words), inputs, (out,))


def _stage2(e: ExperimentConfig, run: Path) -> Phase:
    out = run / "stage2"
    words = ["grpo", "--config", run / CONFIG, "--checkpoint", run / "stage1", "--out", out]
    expected = f"improves the action head by GRPO, {Expectations(e).stage2()}"
    return Phase("stage 2", expected, partial(run_aim, *words), (e.grpo, e.rollout), (out,))


def _evaluation(e: ExperimentConfig, run: Path, stage: str) -> Phase:
    result, protocol = result_path(run, stage), e.eval
    words = ["eval", "--checkpoint", run / ("stage2" if stage == "stage2" else "stage1"), "--policy", POLICIES[stage]]
    words += ["--episodes", protocol.episodes, "--seed-start", protocol.seed_start, "--workers", protocol.workers]
    words += ["--instructions", protocol.instructions] if protocol.instructions else []
    words += ["--json", result]
    expected = f"acts in closed loop: {STAGES[stage]}, {Expectations(e).evaluation(POLICIES[stage])}"
    return Phase(f"evaluate {stage}", expected, partial(run_aim, *words), protocol, (result.parent,))


def _recording(e: ExperimentConfig, run: Path, stage: str) -> Phase:
    out, episodes = run / "recordings" / stage, min(RECORDED, e.eval.episodes)
    common = ["--seed", e.eval.seed_start, "--episodes", episodes, "--name", STAGES[stage], "--out", out]
    commands = [["rollout", "--checkpoint", run / stage, "--task", task, *common] for task in e.tasks]

    def record() -> None:
        for words in commands:
            run_aim(*words)

    expected = f"episodes on video, {Expectations(e).recording(episodes * len(e.tasks))}"
    return Phase(f"record {stage}", expected, record, e.eval.seed_start, (out,))


def _report(e: ExperimentConfig, run: Path, earlier: Sequence[str]) -> Phase:
    def write() -> None:
        write_summary(run, e, phase_seconds(earlier, run / STAMPS))
        run_aim("report", "--run", run)

    return Phase("report", "one HTML file, a few seconds", write)
