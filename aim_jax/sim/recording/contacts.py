"""Records, at every physics step, what touches the task's actors and how they move."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aim_jax.array_typing import Float32
from aim_jax.sim import robot
from aim_jax.sim.world import Contact, World


@dataclass(eq=False)
class ContactLog:
    """One entry per physics step in each list.

    Attributes:
        actors: names, in the order of the columns of `poses` and `speeds`.
        contacts: the contacts in which an actor takes part.
        grippers: commanded openings, left and right.
        poses: per actor metres and quaternion (w first).
        speeds: per actor m/s of the centre of mass.
    """

    actors: tuple[str, ...]
    contacts: list[list[Contact]] = field(default_factory=list)
    grippers: list[Float32[np.ndarray, "2"]] = field(default_factory=list)
    poses: list[Float32[np.ndarray, "n 7"]] = field(default_factory=list)
    speeds: list[Float32[np.ndarray, "n"]] = field(default_factory=list)

    def record(self, world: World) -> None:
        """Appends the present physics step."""
        actors = [world.actors[name] for name in self.actors]
        self.contacts.append(world.contacts(*self.actors))
        self.grippers.append(world.target[[robot.GRIPPER_INDEX[arm] for arm in robot.ARMS]])
        self.poses.append(np.array([(*actor.pose.p, *actor.pose.q) for actor in actors], np.float32))
        self.speeds.append(np.array([actor.speed for actor in actors], np.float32))

    def __len__(self) -> int:
        return len(self.contacts)
