"""`aim rollout`: closed-loop episodes to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Runs a policy and writes a video and a sheet of seen and foreseen frames with the value map for each episode.

    Setting, instructions and textures are those of its evaluation.
    """

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
    rerun: bool = False
    """Also writes a rerun recording of each episode: frames, maps, projected hands, actions, reward."""
    out: Path = Path("runs/rollout")
    """Folder; the files go to OUT/episodes, OUT/pictures and OUT/rerun."""
    json: str | None = None
    """Also writes the outcomes as JSON into this file; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Runs, writes, and prints the outcomes."""
    from aim_jax.evaluation.closed_loop import Unplayed, evaluation_jobs
    from aim_jax.evaluation.episode_log import log_of
    from aim_jax.evaluation.load import load_policy
    from aim_jax.evaluation.record import record
    from aim_jax.sim.registry import get_task

    if args.rerun:
        _require_rerun()
    loaded = load_policy(args.checkpoint, trained=not args.untrained)
    task = args.task or loaded.experiment.tasks[0]
    get_task(task)
    jobs = evaluation_jobs(loaded.experiment, task, range(args.seed, args.seed + args.episodes))
    unplayed = Unplayed()
    episodes = record(loaded.agent, loaded.experiment, jobs, args.out, args.name, unplayed.leave_out)
    if args.rerun:
        from aim_jax.evaluation.record import frames_of
        from aim_jax.evaluation.rerun_log import write_recording

        for episode in episodes:
            path = args.out / "rerun" / f"{args.name}_{task}_{episode.job.seed}.rrd"
            write_recording(path, episode, frames_of(loaded.agent, episode), loaded.experiment.canvas)
    logs = [*map(log_of, episodes), *unplayed.logs]
    lines = [
        f"{log.task} seed {log.seed}: unstable layout, not played: {log.unstable}"
        if log.unstable
        else f"{log.task} seed {log.seed}: {'success' if log.success else 'failure'}, {log.steps} steps: "
        f"{log.instruction}"
        for log in logs
    ]
    emit(args.json, {"out": args.out, "episodes": logs}, "\n".join([*lines, f"written to {args.out}"]))
    return 0


def _require_rerun() -> None:
    """Says so before an episode is run if the package is missing."""
    import importlib.util

    from aim_jax.errors import AimError

    if importlib.util.find_spec("rerun") is None:
        raise AimError("--rerun needs the package rerun-sdk", remedy="install the extra: pip install aim-jax[rerun]")
