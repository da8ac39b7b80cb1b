"""Speed and memory of one simulator process."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Sequence
from typing import Any

import psutil

from aim_jax.errors import AimError
from aim_jax.sim.camera_config import CameraConfig

STRIDES = (0, 4, 1)
"""Control steps from one rendered frame to the next; 0 renders nothing."""


def time_steps(task: str, episodes: int, seed_start: int, setting: str = "easy") -> dict[str, Any]:
    """Control steps a second on one core: without cameras, with frames every 4th step, with frames every step.

    The expert's actions of each layout are computed once and executed again for every stride; only the stepping is
    timed. Building a scene is timed apart.

    Args:
        task: the task's name.
        episodes: layouts.
        seed_start: seed of the first.
        setting: of the scene.

    Raises:
        AimError: the expert failed on every layout.
    """
    from aim_jax.sim.env import Env

    os.environ["LP_NUM_THREADS"] = "1"  # read by the software renderer when SAPIEN is imported
    recorded = _expert_runs(task, range(seed_start, seed_start + episodes), setting)
    rows: dict[str, Any] = {}
    for stride in STRIDES:
        env = Env(task, setting=setting, cameras=CameraConfig() if stride else None, stop_at_success=False)
        resets = stepping = 0.0
        steps = frames = 0
        for seed, actions in recorded:
            begun = time.perf_counter()
            env.reset(seed)
            resets += time.perf_counter() - begun
            at = range(stride, len(actions) + 1, stride) if stride else ()
            begun = time.perf_counter()
            result = env.step(actions, at)
            stepping += time.perf_counter() - begun
            steps, frames = steps + result.executed, frames + len(result.observations)
        env.close()
        rows[_name(stride)] = {
            "steps": steps,
            "frames": frames,
            "steps_per_second": steps / stepping,
            "reset_seconds": resets / len(recorded),
        }
    gain = rows[_name(4)]["steps_per_second"] / rows[_name(1)]["steps_per_second"]
    return {"task": task, "episodes": len(recorded), "rates": rows, "gain_of_every_4th": gain}


def memory_over(task: str, episodes: int, seed_start: int, setting: str = "easy") -> dict[str, Any]:
    """Resident memory of this process over rendered episodes, each with a frame at its start and a few steps.

    Returns:
        MiB after a tenth of the episodes and at the end, and the growth per episode in between.
    """
    import numpy as np

    from aim_jax.sim.env import Env
    from aim_jax.sim.home import HOME

    os.environ["LP_NUM_THREADS"] = "1"
    env, process = Env(task, setting=setting), psutil.Process()
    seen = []
    for seed in range(seed_start, seed_start + episodes):
        env.reset(seed)
        env.step(np.repeat(HOME[None], 8, axis=0), (4, 8))
        gc.collect()
        seen.append(process.memory_info().rss / 2**20)
    env.close()
    warm = max(1, episodes // 10)
    growth = (seen[-1] - seen[warm - 1]) / max(1, episodes - warm)
    return {"episodes": episodes, "mib_warm": seen[warm - 1], "mib_end": seen[-1], "mib_per_episode": growth}


def _expert_runs(task: str, seeds: Sequence[int], setting: str) -> list[tuple[int, Any]]:
    import numpy as np

    from aim_jax.sim.env import Env, UnstableLayout
    from aim_jax.sim.expert import expert_actions
    from aim_jax.sim.skills.hands import Unreachable

    runs, env = [], Env(task, setting=setting, cameras=None, stop_at_success=False)
    for seed in seeds:
        actions = []
        try:
            env.reset(seed)
            for action in expert_actions(env):
                env.step(action[None])
                actions.append(action)
        except (UnstableLayout, Unreachable):
            continue
        runs.append((seed, np.stack(actions)))
    env.close()
    if not runs:
        raise AimError(
            f"No layout of {task} can be played", wanted="one seed that the expert can plan", remedy="raise --episodes"
        )
    return runs


def _name(stride: int) -> str:
    return "no frames" if not stride else "every step" if stride == 1 else f"every {stride}th step"
