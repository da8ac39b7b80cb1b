"""A closed-loop episode as a rerun recording: what was seen, foreseen and done, on one timeline of control steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aim_jax.array_typing import Float, NDArray
from aim_jax.data.canvas import CanvasSpec, head_uv_to_canvas
from aim_jax.data.statistics import CHANNELS
from aim_jax.data.value_map import project
from aim_jax.evaluation.overlay import overlay
from aim_jax.evaluation.record import Recorded
from aim_jax.files import atomic_path
from aim_jax.policy.rollouts import FRAME_STRIDE, Episode
from aim_jax.training.rewards import dense_reward

ARMS = ("left", "right")


def write_recording(path: Path, episode: Episode, frames: Recorded, canvas: CanvasSpec) -> None:
    """Writes an .rrd file; `rerun FILE` shows it.

    Entities: `seen` (cameras, with `seen/hand`, the projected tool centres), `foreseen` (predicted frames), `map` (the
    predicted value map over the seen frame), `action/NAME` and `reward` (the map at the hand, see
    `training.rewards.dense_reward`).

    Args:
        path: the file.
        episode: with the outcomes of its chunks.
        frames: of the episode.
        canvas: sizes of the tiles.
    """
    import rerun as rr

    recording = rr.RecordingStream("aim_rollout", recording_id=f"{episode.job.task}-{episode.job.seed}")
    with atomic_path(path) as temporary:
        recording.save(temporary)
        outcome = f"{'success' if episode.success else 'failure'} after {episode.steps} steps"
        about = f"{episode.job.task}, seed {episode.job.seed}: {episode.start.instruction}; {outcome}"
        recording.log("about", rr.TextDocument(about), static=True)
        _log_frames(rr, recording, episode, frames, canvas)
        _log_actions(rr, recording, episode)
        recording.flush()
        recording.disconnect()


def hand_on_canvas(episode: Episode, canvas: CanvasSpec) -> tuple[Float[NDArray, "t 2 2"], Float[NDArray, "t 2 3"]]:
    """Both tool centres after every control step: canvas pixels (column, row), NaN where out of view, and metres."""
    tcp = np.concatenate([chunk.outcome.tcp for chunk in episode.chunks]).astype(np.float64)
    start = episode.start
    uv, depth = project(tcp.reshape(-1, 3), start.intrinsics, start.extrinsics)
    height, width = start.native_hw
    inside = (depth > 0.05) & (uv >= 0).all(-1) & (uv[:, 0] < width) & (uv[:, 1] < height)
    placed = np.where(inside[:, None], head_uv_to_canvas(uv, canvas, start.native_hw), np.nan)
    return placed.reshape(-1, 2, 2), tcp


def _log_frames(rr, recording, episode: Episode, frames: Recorded, canvas: CanvasSpec) -> None:
    uv, tcp = hand_on_canvas(episode, canvas)
    start = episode.start
    for number, seen in enumerate(frames.seen):
        step = number * FRAME_STRIDE
        recording.set_time("step", sequence=step)
        recording.log("seen", rr.Image(seen))
        if number == 0 or step > len(uv):
            continue
        points = uv[step - 1]
        visible = np.isfinite(points).all(-1)
        labels = [arm for arm, shown in zip(ARMS, visible, strict=True) if shown]
        recording.log("seen/hand", rr.Points2D(points[visible], radii=3, labels=labels))
        value = frames.maps[number - 1]
        recording.log("foreseen", rr.Image(frames.foreseen[number - 1]))
        recording.log("map", rr.Image(overlay(seen, value)))
        reward = dense_reward(value, tcp[step - 1], start.intrinsics, start.extrinsics, canvas, start.native_hw)
        recording.log("reward", rr.Scalars([reward]))


def _log_actions(rr, recording, episode: Episode) -> None:
    step = 0
    for chunk in episode.chunks:
        for action in chunk.actions[: chunk.outcome.executed]:
            step += 1
            recording.set_time("step", sequence=step)
            for name, value in zip(CHANNELS, action, strict=True):
                recording.log(f"action/{name}", rr.Scalars([float(value)]))
