"""Records an episode while somebody acts in an environment, and annotates it when it has ended."""

from __future__ import annotations

import numpy as np

from aim_jax.array_typing import Float32, UInt8
from aim_jax.data.cameras import CAMERAS
from aim_jax.data.episode import Episode
from aim_jax.data.events import ContactEvent, active_points
from aim_jax.data.value_map import render_map
from aim_jax.sim.env import Env, Observation
from aim_jax.sim.recording.annotate import find_events
from aim_jax.sim.recording.contacts import ContactLog
from aim_jax.sim.scene_facts import SUBSTEPS


class Recorder:
    """Steps a freshly reset environment and keeps what an `Episode` holds.

    Args:
        env: with cameras; its physics hook is taken over.
        start: the observation of the reset.
        frame_stride: control steps between frames.
    """

    def __init__(self, env: Env, start: Observation, frame_stride: int) -> None:
        self._env = env
        self._stride = frame_stride
        self._frames = [start]
        self._states = [start.state]
        self._endposes = [start.endpose]
        self._actions: list[Float32[np.ndarray, "14"]] = []
        self._log = ContactLog(tuple(env.world.actors))
        self._actor_poses = [self._poses_now()]
        env.on_physics_step = lambda: self._log.record(env.world)

    def step(self, action: Float32[np.ndarray, "14"]) -> None:
        """Executes one control step and keeps what it led to."""
        due = (self._env.steps + 1) % self._stride == 0
        result = self._env.step(action[None], (1,) if due else ())
        now = result.observations[0] if due else self._env.sense()
        if due:
            self._frames.append(now)
            self._actor_poses.append(self._poses_now())
        self._states.append(now.state)
        self._endposes.append(now.endpose)
        self._actions.append(now.state)

    def episode(self) -> Episode:
        """Everything recorded so far, annotated."""
        self._env.on_physics_step = None
        events = find_events(self._log, self._env.task.pressed)
        frame_index = np.array([frame.step for frame in self._frames], np.int32)
        return Episode(
            task=self._env.task.name,
            setting=self._env.setting,
            seed=self._env.seed,
            instructions=(self._env.instruction, *self._env.task.instructions("seen")),
            frame_index=frame_index,
            images={name: np.stack([frame.images[name] for frame in self._frames]) for name in CAMERAS},
            intrinsics={name: np.stack([frame.intrinsics[name] for frame in self._frames]) for name in CAMERAS},
            extrinsics={name: np.stack([frame.extrinsics[name] for frame in self._frames]) for name in CAMERAS},
            states=np.stack(self._states),
            actions=np.stack(self._actions),
            endposes=np.stack(self._endposes),
            maps={name: self._maps(name, events) for name in CAMERAS},
            events=events,
            actor_poses={
                name: np.stack([poses[name] for poses in self._actor_poses]) for name in self._env.world.actors
            },
            success=self._env.success,
            variation=self._env.variation,
        )

    def _maps(self, camera: str, events: tuple[ContactEvent, ...]) -> UInt8[np.ndarray, "f h w"]:
        maps = []
        for frame, poses in zip(self._frames, self._actor_poses, strict=True):
            groups = active_points(events, frame.step * SUBSTEPS, poses)
            size = frame.images[camera].shape[:2]
            maps.append(render_map(groups, frame.intrinsics[camera], frame.extrinsics[camera], size))
        return np.stack(maps)

    def _poses_now(self) -> dict[str, Float32[np.ndarray, "7"]]:
        return {
            name: np.array((*actor.pose.p, *actor.pose.q), np.float32) for name, actor in self._env.world.actors.items()
        }
