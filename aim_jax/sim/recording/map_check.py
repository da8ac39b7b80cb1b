"""Do the value maps of an episode lie on what was touched? The episode is played again and the targets looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aim_jax.array_typing import Bool, Float, Int, UInt8
from aim_jax.data.cameras import CAMERAS, HEAD
from aim_jax.data.episode import CONTROL_SUBSTEPS, Episode
from aim_jax.data.episode_maps import seen_points
from aim_jax.data.events import ContactEvent, active_events, world_points
from aim_jax.data.occlusion import Surface
from aim_jax.data.value_map import in_view, project, render_map
from aim_jax.sim.camera_config import CameraConfig
from aim_jax.sim.env import Env

RULES = 2
"""Raised whenever maps are judged otherwise than before, so that older counts are told from new ones."""
BEFORE = 10
"""Control steps before an event in which the maximum of its map is looked up."""
TOUCHED = ("pick", "press")
HALF = 128
"""Of 255: the least value that a touched point must have."""
SHADE = 0.9
"""How much lower than another arm's a peak may be. Anything less is the other bump's slope, and no peak."""


@dataclass(frozen=True)
class MapCheck:
    """Counts over the picks and presses of one or more episodes, in the head camera, from the maps as they are stored.

    The targets are stated for the strict figures, `on_target` and `points_marked`. Beside them stand tolerant ones,
    which tell how much of what is missing is the hand before the target, how much the edge of a pixel, and how much a
    map that lies wrong.

    Attributes:
        frames: frames up to 10 control steps before an event of which something is in view and not hidden, counted once
            for each such event.
        on_target: of these, the frames whose maximum lies on a pixel that shows the target.
        on_outline: of these, the frames whose maximum lies inside the outline that the target has without what stands
            before it: the hand that is about to touch something often covers it.
        near_target: of these, the frames whose maximum lies inside that outline or on a pixel beside it: fingers touch
            edges, and a point on an edge may round to either side.
        blind: further frames, whose event is in view but hidden altogether.
        points: contact points that are in view where they were touched, and that nothing hid in the last frame before.
        points_marked: of these, the points whose pixel had a value of one half at least in that frame.
        points_hidden: further points, which are in view but were hidden.
        contacts: events with such points.
        contacts_marked: of these, the events whose points had a mean value of one half at least.
        maps: maps of all cameras and frames.
        maps_differing: of these, the maps that are not the maximum over the active events' points.
    """

    frames: int = 0
    on_target: int = 0
    on_outline: int = 0
    near_target: int = 0
    blind: int = 0
    points: int = 0
    points_marked: int = 0
    points_hidden: int = 0
    contacts: int = 0
    contacts_marked: int = 0
    maps: int = 0
    maps_differing: int = 0

    def __add__(self, other: MapCheck) -> MapCheck:
        names = [field.name for field in dataclasses.fields(self)]
        return MapCheck(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True, eq=False)
class _Moment:
    """A frame as it is when the episode is played again.

    Attributes:
        frame: its number.
        bodies: number of the body that each pixel of the head camera shows.
        surfaces: what each camera sees; None if the episode's maps do not ask for it.
        numbers: of the bodies, by actor.
        outlines: of the targets that will soon be touched, in the head camera, without what stands before them.
    """

    frame: int
    bodies: Int[np.ndarray, "h w"]
    surfaces: dict[str, Surface] | None
    numbers: dict[str, int]
    outlines: dict[str, Bool[np.ndarray, "h w"]]


def check_maps(episode: Episode) -> MapCheck:
    """Counts how often an episode's maps are where they should be.

    Args:
        episode: one that this simulator recorded; it is played again from its seed and its actions.
    """
    events = [event for event in episode.events if event.kind in TOUCHED]
    touched_at: dict[int, dict[str, np.ndarray]] = {}
    last_seen: dict[int, Surface | None] = {}
    total = MapCheck()
    for moment in _played_again(episode, events, touched_at):
        total += _compare(episode, moment)
        for event in events:
            if _shortly_before(episode, moment.frame, event):
                total += _judge(episode, moment, event)
        last_seen[moment.frame] = None if moment.surfaces is None else moment.surfaces[HEAD]
    for event in events:
        frame = int(np.flatnonzero(episode.frame_index * CONTROL_SUBSTEPS < event.time)[-1])
        total += _contact(episode, event, frame, touched_at[event.time], last_seen[frame])
    return total


def _played_again(
    episode: Episode, events: list[ContactEvent], touched_at: dict[int, dict[str, np.ndarray]]
) -> Iterator[_Moment]:
    """Plays the episode again and stops at its frames; notes where the actors are at the events' times."""
    height, width = episode.images[HEAD].shape[1:3]
    cameras = CameraConfig(height=height, width=width)
    env = Env(episode.task, setting=episode.setting, cameras=cameras, stop_at_success=False)
    times, done = {event.time for event in events}, 0

    def note() -> None:
        nonlocal done
        done += 1
        if done in times:
            actors = env.world.actors.values()
            touched_at[done] = {actor.name: np.array((*actor.pose.p, *actor.pose.q)) for actor in actors}

    try:
        env.reset(episode.seed)
        env.on_physics_step = note
        numbers = {name: actor.entity.per_scene_id for name, actor in env.world.actors.items()}
        for frame, step in enumerate(episode.frame_index):
            env.step(episode.actions[env.steps : step])
            assert env.cameras is not None
            bodies = env.cameras.segmentation()[HEAD]
            surfaces = env.cameras.surfaces() if episode.occlusion else None
            soon = {event.actor for event in events if _shortly_before(episode, frame, event)}
            outlines = {name: env.cameras.silhouette(env.world.actors[name].entity)[HEAD] for name in soon}
            yield _Moment(frame, bodies, surfaces, numbers, outlines)
        env.step(episode.actions[env.steps :])
    finally:
        env.on_physics_step = None
        env.close()


def _shortly_before(episode: Episode, frame: int, event: ContactEvent) -> bool:
    ahead = event.time - int(episode.frame_index[frame]) * CONTROL_SUBSTEPS
    return 0 < ahead <= BEFORE * CONTROL_SUBSTEPS


def _compare(episode: Episode, moment: _Moment) -> MapCheck:
    """Whether each camera's stored map is the maximum over the active events, each drawn alone."""
    differing = 0
    for camera in CAMERAS:
        stored = episode.maps[camera][moment.frame]
        drawn = [np.zeros_like(stored)]
        for event in active_events(episode.events, int(episode.frame_index[moment.frame]) * CONTROL_SUBSTEPS):
            points = _visible(episode, moment, event, camera)
            drawn.append(render_map([points], *_matrices(episode, camera, moment.frame), stored.shape))
        # The file holds the camera's pose, not its inverse: half a level may round to either side.
        differing += int(np.abs(np.maximum.reduce(drawn).astype(int) - stored).max() > 1)
    return MapCheck(maps=len(CAMERAS), maps_differing=differing)


def _judge(episode: Episode, moment: _Moment, event: ContactEvent) -> MapCheck:
    """Where the maximum of the stored map lies shortly before an event, if its arm has none that comes sooner."""
    matrices = _matrices(episode, HEAD, moment.frame)
    points = world_points(event, _poses(episode, moment.frame))
    active = active_events(episode.events, int(episode.frame_index[moment.frame]) * CONTROL_SUBSTEPS)
    if event not in active or not in_view(*project(points, *matrices), moment.bodies.shape).any():
        return MapCheck()
    seen = {other.arm: project(_visible(episode, moment, other, HEAD), *matrices)[0] for other in active}
    if not len(seen[event.arm]):
        return MapCheck(blind=1)
    others = [uv for arm, uv in seen.items() if arm != event.arm and len(uv)]
    peak = _peak(episode.maps[HEAD][moment.frame], seen[event.arm], others)
    if peak is None:
        return MapCheck(frames=1)
    row, column = peak
    outline = moment.outlines[event.actor]
    around = outline[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    on_target = moment.bodies[peak] == moment.numbers[event.actor]
    return MapCheck(frames=1, on_target=int(on_target), on_outline=int(outline[peak]), near_target=int(around.any()))


def _peak(
    value: UInt8[np.ndarray, "h w"], own: Float[np.ndarray, "n 2"], others: list[Float[np.ndarray, "_ 2"]]
) -> tuple[int, int] | None:
    """Row and column of the maximum of an event's part of a map, if it has one.

    Every touched point has the same peak, so there are many maxima; the one nearest to their middle stands for them.
    The first in the order of rows would be the one on the topmost rim. Where another arm's event is drawn beside it, a
    pixel belongs to the one whose points are nearer. Both peaks are one, but as pixels sample them, the one may be a
    shade higher than the other.
    """
    rows, columns = np.nonzero(value)
    pixels = np.stack([columns, rows], axis=1) + 0.5
    mine = np.ones(len(rows), bool)
    for uv in others:
        mine &= _distance(pixels, own) <= _distance(pixels, uv)
    rows, columns, pixels = rows[mine], columns[mine], pixels[mine]
    heights = value[rows, columns]
    if not len(rows) or heights.max() < SHADE * value.max():
        return None
    best = np.flatnonzero(heights == heights.max())
    middle = best[np.argmin(np.linalg.norm(pixels[best] - pixels[best].mean(axis=0), axis=1))]
    return int(rows[middle]), int(columns[middle])


def _distance(pixels: Float[np.ndarray, "p 2"], points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "p"]:
    return np.linalg.norm(pixels[:, None] - points[None], axis=2).min(axis=1)


def _contact(
    episode: Episode, event: ContactEvent, frame: int, poses: dict[str, np.ndarray], before: Surface | None
) -> MapCheck:
    """Whether what was touched, where it was then, had been marked in the last frame before."""
    matrices = _matrices(episode, HEAD, frame)
    stored = episode.maps[HEAD][frame]
    points = world_points(event, poses)
    inside = points[in_view(*project(points, *matrices), stored.shape)]
    shown = inside if before is None else seen_points(inside, event.arm, *matrices, before)
    hidden = MapCheck(points_hidden=len(inside) - len(shown))
    if not len(shown):
        return hidden
    columns, rows = np.floor(project(shown, *matrices)[0]).astype(int).T
    values = stored[rows, columns]
    marked, events = int((values >= HALF).sum()), int(values.mean() >= HALF)
    return hidden + MapCheck(points=len(shown), points_marked=marked, contacts=1, contacts_marked=events)


def _visible(episode: Episode, moment: _Moment, event: ContactEvent, camera: str) -> Float[np.ndarray, "_ 3"]:
    """An event's points that are in a camera's view at a frame and, where that is asked for, not hidden."""
    points = world_points(event, _poses(episode, moment.frame))
    matrices = _matrices(episode, camera, moment.frame)
    if moment.surfaces is not None:
        return seen_points(points, event.arm, *matrices, moment.surfaces[camera])
    return points[in_view(*project(points, *matrices), episode.images[camera].shape[1:3])]


def _matrices(episode: Episode, camera: str, frame: int) -> tuple[np.ndarray, np.ndarray]:
    return episode.intrinsics[camera][frame], episode.extrinsics[camera][frame]


def _poses(episode: Episode, frame: int) -> dict[str, np.ndarray]:
    return {name: path[frame] for name, path in episode.actor_poses.items()}
