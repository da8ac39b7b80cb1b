"""What the two tasks share that put one thing to the left or right of another."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from aim_jax.sim.families.put import PutTask
from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.things import KINDS, draw_thing
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.task import arm_for

_BESIDE = 0.13  # metres between the two middles


class BesideTask(PutTask):
    """Put thing A beside thing B; `side` is +1 for the right and −1 for the left of B."""

    side: ClassVar[float]

    def layout(self, rng: np.random.Generator) -> None:
        """Two different things; B so that the place beside it is on A's side (RoboTwin's ranges)."""
        while True:
            place = spot(rng, (-0.22, 0.22), (-0.2, 0.0), yaw=(-np.pi, np.pi))
            outer = (-0.23, -0.18) if self.side > 0 else (0.18, 0.23)
            x = outer if place.p[0] * self.side < 0 else (-0.1, 0.1)
            other = spot(rng, x, (-0.2, 0.0), away=[(place, 0.1)], yaw=(-np.pi, np.pi))
            apart = np.hypot(*(place.position - other.position)[:2])
            if abs(place.p[1] - other.p[1]) > 0.1 and (apart > 0.19 or self.side * (place.p[0] - other.p[0]) < 0):
                break
        a, a_words = draw_thing(rng)
        b, b_words = draw_thing(rng, [kind for kind in KINDS if kind != a.name])
        self.thing, self.target = self.world.add(a, place), self.world.add(b, other)
        goal = Pose((other.p[0] + self.side * _BESIDE, other.p[1], self.world.table_top + 0.001), place.q)
        self.spots = [goal @ turned("z", float(turn)) for turn in np.arange(-np.pi, np.pi, np.pi / 8)]
        self.arm = arm_for(place.p[0])
        self.words = {"a": a_words, "b": b_words, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: 8 to 20 cm apart, on the right side, within 5 cm in y, grippers open."""
        gap = self.thing.pose.position[:2] - self.target.pose.position[:2]
        near = 0.08 < np.hypot(*gap) < 0.2 and self.side * gap[0] > 0 and abs(gap[1]) < 0.05
        return bool(near) and self.opened()
