"""`aim bench sim`: control steps a second per core, with and without frames, and memory per worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aim_jax.commands.names import named_tasks
from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Steps recorded expert actions in one process: without cameras, with frames every 4th step, and at every step."""

    task: str = "click_bell,stack_blocks_two"
    """Tasks separated by commas."""
    episodes: int = 5
    """Layouts per task."""
    seed_start: int = 0
    """Seed of the first layout."""
    setting: str = "easy"
    """Scene setting."""
    memory_episodes: int = 200
    """Episodes in one process over which its memory is watched; 0 leaves it out."""
    json: str | None = None
    """Also writes the result as JSON; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Measures every task."""
    from aim_jax.policy.bench.machine import machine
    from aim_jax.sim.bench import memory_over, time_steps
    from aim_jax.versions import versions

    tasks = named_tasks(args.task)
    rows = [time_steps(name, args.episodes, args.seed_start, args.setting) for name in tasks]
    memory = None
    if args.memory_episodes:
        memory = memory_over(tasks[0], args.memory_episodes, args.seed_start, args.setting)
    data = {"rows": rows, "memory": memory, "machine": machine(), "versions": versions()}
    emit(args.json, data, _text(data))
    return 0


def _text(data: dict[str, Any]) -> str:
    lines = []
    for row in data["rows"]:
        rates = ", ".join(f"{name} {rate['steps_per_second']:.1f}" for name, rate in row["rates"].items())
        reset = row["rates"]["no frames"]["reset_seconds"]
        lines.append(
            f"{row['task']}: control steps/s on one core: {rates}; every 4th against every step "
            f"{row['gain_of_every_4th']:.2f}×; a new scene {reset:.2f} s"
        )
    if (memory := data["memory"]) is not None:
        lines.append(
            f"memory: {memory['mib_warm']:.0f} MiB warm, {memory['mib_end']:.0f} MiB after {memory['episodes']} "
            f"episodes ({1024 * memory['mib_per_episode']:.0f} KiB an episode)"
        )
    return "\n".join(lines)
