"""`aim demo`: the whole loop at a small size."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aim_jax.commands.experiment import Experiment
from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Simulates demonstrations, trains Stage I and Stage II on them, evaluates both, and writes a report.

    Killed at any point and started again it goes on where it was. With other settings it repeats what they change.
    """

    experiment: Experiment
    """Single values of the configuration."""
    config: Path = Path("configs/tiny.py")
    """Configuration file."""
    out: Path = Path("runs/demo")
    """Folder of the run."""
    json: str | None = None
    """Also writes the summary as JSON into this file; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Runs every phase that is not done yet."""
    from aim_jax.config_io import write_resolved, write_source
    from aim_jax.pipeline.demo import CONFIG, STAMPS, demo_phases
    from aim_jax.pipeline.phases import run_phases
    from aim_jax.pipeline.summary import write_summary
    from aim_jax.seeds import check_disjoint

    check_disjoint(args.experiment)
    # The phases compile the same programs (three evaluations of one model): each is compiled once per run.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str((args.out / "cache").absolute()))

    def write_config() -> None:
        write_resolved(args.experiment, args.out)
        write_source(args.experiment, args.out / CONFIG)

    say = partial(print, file=sys.stderr, flush=True)
    seconds = run_phases(demo_phases(args.experiment, args.out), args.out / STAMPS, say, begin=write_config)
    summary = write_summary(args.out, args.experiment, seconds)
    emit(args.json, summary, _text(summary, args.out))
    return 0


def _text(summary: dict[str, Any], run: Path) -> str:
    rows = [
        f"{task}: {stage} {rate['successes']}/{rate['episodes']} [{rate['low']:.0%}–{rate['high']:.0%}]"
        for task, stages in summary["tasks"].items()
        for stage, rate in stages.items()
    ]
    rows += summary["notes"]
    return "\n".join([*rows, f"summary: {run / 'summary.json'}", f"report: {run / 'report' / 'index.html'}"])
