"""`aim rollout`: closed-loop episodes to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Runs a policy and writes a video and a sheet of seen and foreseen frames with the value map for each episode."""

    checkpoint: Path = Path("packaged")
    """Run of Stage I or II, or "packaged": the policy that comes with aim_jax."""
    task: str = ""
    """Task; the configuration's first unless given."""
    seed: int = 100_000
    """First layout seed."""
    episodes: int = 1
    """Consecutive seeds."""
    untrained: bool = False
    """Acts with the same model before training."""
    name: str = "policy"
    """Who acts, for file names and captions."""
    out: Path = Path("runs/rollout")
    """Folder; the files go to OUT/episodes and OUT/pictures."""
    json: str | None = None
    """Also writes the outcomes as JSON into this file; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Runs, writes, and prints the outcomes."""
    from aim_jax.evaluation.closed_loop import log_of
    from aim_jax.evaluation.load import load_policy
    from aim_jax.evaluation.record import record
    from aim_jax.sim.pool import Job
    from aim_jax.sim.registry import get_task

    loaded = load_policy(args.checkpoint, trained=not args.untrained)
    task = args.task or loaded.experiment.tasks[0]
    get_task(task)
    jobs = [Job(task, args.seed + i, loaded.experiment.setting) for i in range(args.episodes)]
    episodes = record(loaded.agent, loaded.experiment, jobs, args.out, args.name)
    logs = [log_of(episode) for episode in episodes]
    lines = [
        f"{log.task} seed {log.seed}: {'success' if log.success else 'failure'}, {log.steps} steps: {log.instruction}"
        for log in logs
    ]
    emit(args.json, {"out": args.out, "episodes": logs}, "\n".join([*lines, f"written to {args.out}"]))
    return 0
