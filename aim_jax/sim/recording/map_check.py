"""Do the value maps of an episode lie on what was touched? The episode is played again and the targets looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aim_jax.array_typing import Bool, UInt8
from aim_jax.data.cameras import HEAD
from aim_jax.data.episode import CONTROL_SUBSTEPS, Episode
from aim_jax.data.events import ContactEvent, world_points
from aim_jax.data.value_map import project, render_map
from aim_jax.sim.camera_config import CameraConfig
from aim_jax.sim.env import Env

BEFORE = 10
"""Control steps before an event in which the maximum of its map is looked up."""
TOUCHED = ("pick", "press")
HALF = 128
"""Of 255: the least mean value that the touched points must have."""


@dataclass(frozen=True)
class MapCheck:
    """Counts over the picks and presses of one or more episodes, in the head camera.

    Attributes:
        frames: frames up to 10 control steps before an event whose points are in view.
        on_target: of these, the frames whose maximum lies inside the target's outline, or on the pixel beside it:
            fingers touch edges, and a point on an edge may round to either side.
        contacts: events whose contact points are in view.
        marked: of these, the events whose points, where they were when they were touched, had a mean value of at least
            one half in the last frame before.
    """

    frames: int = 0
    on_target: int = 0
    contacts: int = 0
    marked: int = 0

    def __add__(self, other: MapCheck) -> MapCheck:
        return MapCheck(
            self.frames + other.frames,
            self.on_target + other.on_target,
            self.contacts + other.contacts,
            self.marked + other.marked,
        )


def check_maps(episode: Episode) -> MapCheck:
    """Counts how often an episode's maps are where they should be.

    Each event is judged by its own bump (another arm's may be as high), and inside means inside the outline that the
    target has without what stands before it: the hand that is about to touch something often covers it.

    Args:
        episode: one that this simulator recorded; it is played again from its seed and its actions.
    """
    events = [event for event in episode.events if event.kind in TOUCHED]
    due = {
        frame: [e for e in events if _shortly_before(episode, frame, e)] for frame in range(len(episode.frame_index))
    }
    total = MapCheck()
    for frame, outlines in _outlines(episode, {frame: coming for frame, coming in due.items() if coming}):
        for event, outline in outlines:
            total += _judge(episode, frame, event, outline)
    for event in events:
        total += _contact(episode, event)
    return total


def _outlines(
    episode: Episode, due: dict[int, list[ContactEvent]]
) -> Iterator[tuple[int, list[tuple[ContactEvent, Bool[np.ndarray, "h w"]]]]]:
    """Plays the episode again and yields the outlines of the due events' targets at their frames."""
    height, width = episode.images[HEAD].shape[1:3]
    env = Env(
        episode.task, setting=episode.setting, cameras=CameraConfig(height=height, width=width), stop_at_success=False
    )
    try:
        env.reset(episode.seed)
        done = 0
        for frame, coming in sorted(due.items()):
            step = int(episode.frame_index[frame])
            env.step(episode.actions[done:step])
            done = step
            cameras, actors = env.cameras, env.world.actors
            assert cameras is not None
            yield frame, [(event, cameras.silhouette(actors[event.actor].entity)[HEAD]) for event in coming]
    finally:
        env.close()


def _shortly_before(episode: Episode, frame: int, event: ContactEvent) -> bool:
    ahead = event.time - int(episode.frame_index[frame]) * CONTROL_SUBSTEPS
    return 0 < ahead <= BEFORE * CONTROL_SUBSTEPS


def _judge(episode: Episode, frame: int, event: ContactEvent, outline: Bool[np.ndarray, "h w"]) -> MapCheck:
    value = _bump(episode, frame, event)
    if not value.any():
        return MapCheck()
    row, column = np.unravel_index(int(np.argmax(value)), value.shape)
    around = outline[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    return MapCheck(frames=1, on_target=int(around.any()))


def _bump(episode: Episode, frame: int, event: ContactEvent) -> UInt8[np.ndarray, "h w"]:
    """The part of a frame's map that belongs to one event."""
    points = world_points(event, _poses(episode, frame))
    matrices = episode.intrinsics[HEAD][frame], episode.extrinsics[HEAD][frame]
    return render_map([points], *matrices, episode.images[HEAD].shape[1:3])


def _contact(episode: Episode, event: ContactEvent) -> MapCheck:
    """Whether what was touched had been marked in the last frame before."""
    frame = int(np.flatnonzero(episode.frame_index * CONTROL_SUBSTEPS < event.time)[-1])
    then = min(frame + 1, len(episode.frame_index) - 1)
    matrices = episode.intrinsics[HEAD][frame], episode.extrinsics[HEAD][frame]
    uv, depth = project(world_points(event, _poses(episode, then)), *matrices)
    height, width = episode.images[HEAD].shape[1:3]
    seen = (depth > 0) & np.all((uv >= 0) & (uv < (width, height)), axis=1)
    if not seen.any():
        return MapCheck()
    columns, rows = np.floor(uv[seen]).astype(int).T
    return MapCheck(contacts=1, marked=int(episode.maps[HEAD][frame, rows, columns].mean() >= HALF))


def _poses(episode: Episode, frame: int) -> dict[str, np.ndarray]:
    return {name: path[frame] for name, path in episode.actor_poses.items()}
