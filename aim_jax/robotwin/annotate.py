"""Value maps from contacts for episodes that RoboTwin has collected: replayed in their seeds, checked row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from aim_jax.data.episode import write_episode
from aim_jax.data.imports.folders import CONFIGS, SETTINGS, Origin, origin
from aim_jax.data.imports.raw import RawEpisode
from aim_jax.data.imports.robotwin import is_legacy, read_robotwin
from aim_jax.errors import AimError
from aim_jax.files import write_json
from aim_jax.robotwin.checkout import Checkout
from aim_jax.robotwin.expert import close, set_up_replay
from aim_jax.robotwin.options import AnnotateOptions
from aim_jax.robotwin.replay import Replay
from aim_jax.robotwin.trajectories import read_paths
from aim_jax.sim.collection.expert_episode import episode_path

_SAME_TARGET = 1e-3  # radians, and of the gripper's travel
_SAME_PLACE = 5e-3  # metres of the tool centres: the physics repeats itself


def annotate(options: AnnotateOptions, checkout: Checkout) -> int:
    """Annotates every episode of a folder that is not written yet; 1 when one had to be left out.

    Raises:
        AimError: there are no episodes, or no seeds to replay them in.
    """
    files = sorted((options.source / "data").glob("*.hdf5"))
    missing = [] if files else ["data/*.hdf5"]
    missing += [name for name in ("_traj_data", "seed.txt") if not (options.source / name).exists()]
    if missing:
        raise AimError(
            f"{options.source} is no folder of a RoboTwin collection",
            wanted="data/*.hdf5, _traj_data/*.pkl and seed.txt",
            got=f"no {', no '.join(missing)}",
        )
    setting = SETTINGS.get(options.task_config, options.task_config)
    tasks: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for file in files:
        found = origin(file, legacy=is_legacy(file), task=options.task, setting=setting)
        config = CONFIGS.get(found.setting, found.setting)
        path = episode_path(options.out / found.task / found.setting, found.seed)
        if path.exists():
            continue
        if found.task not in tasks:
            tasks[found.task] = checkout.new_task(found.task)
        arguments = checkout.arguments(found.task, config)
        reason = _annotate_file(file, found, path, tasks[found.task], arguments, occlusion=options.occlusion == "depth")
        if reason:
            left_out[file.name] = reason
        print(f"{file.name} (seed {found.seed}): {reason or path}", flush=True)
    annotated = len(files) - len(left_out)
    print(f"{annotated} of {len(files)} episodes are annotated in {options.out}", flush=True)
    if options.json:
        report = {"annotated": annotated, "episodes": len(files), "left_out": left_out, "folder": options.out}
        write_json(options.json, report)
    return 1 if left_out else 0


def _annotate_file(
    file: Path, found: Origin, path: Path, task: Any, arguments: dict[str, Any], *, occlusion: bool
) -> str:
    """Writes the annotated episode, or says why it cannot be."""
    try:
        raw = read_robotwin(file, found.task, found.setting)
        paths = read_paths(found.folder / "_traj_data" / f"episode{found.number}.pkl")
    except AimError as error:
        return str(error)
    try:
        set_up_replay(task, found.seed, arguments, paths)
        replay = Replay(task, found.task, occlusion=occlusion)
        replay.run()
        if reason := difference(raw, replay):
            return f"the replay differs from the file: {reason}"
        events, poses, surfaces = replay.events(), replay.actor_poses(raw.rows), replay.surfaces(raw.rows)
        write_episode(path, raw.annotated(events, poses, "contacts", surfaces))
        return ""
    except AimError:
        raise
    except Exception as error:
        # Whatever RoboTwin raises concerns this seed, as in its own scripts.
        return f"RoboTwin raised {type(error).__name__}: {error}"
    finally:
        close(task, rendered=occlusion)


def difference(raw: RawEpisode, replay: Replay) -> str:
    """What tells a replay from the episode that it should repeat; empty if nothing does."""
    if len(replay.states) != len(raw.states):
        return f"{len(replay.states)} rows instead of {len(raw.states)}"
    targets = float(np.abs(replay.states - raw.states).max())
    if targets > _SAME_TARGET:
        return f"joint targets are up to {targets:.4f} apart"
    places = float(np.linalg.norm(replay.centres[..., :3] - raw.endposes[..., :3], axis=-1).max())
    if places > _SAME_PLACE:
        return f"tool centres are up to {places * 1000:.1f} mm apart"
    for camera, seen in (replay.surfaces(raw.rows) or {}).items():
        size, wanted = seen[0].depth.shape, raw.images[camera].shape[1:3]
        if size != wanted:
            return f"{camera} sees {size[0]} × {size[1]} pixels instead of {wanted[0]} × {wanted[1]}"
    return ""
