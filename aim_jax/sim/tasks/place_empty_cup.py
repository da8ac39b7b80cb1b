"""Put the cup on the coaster. Layout and goal as RoboTwin's envs/place_empty_cup.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask, offset
from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.cup import NAMES, coaster, cup
from aim_jax.sim.skills.carry import turns
from aim_jax.sim.skills.grasp import ROUND
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates


class PlaceEmptyCup(PutTask):
    """The cup stands within 3.5 cm of the coaster's middle, grippers open."""

    name = "place_empty_cup"
    symmetry = ROUND
    seen, unseen = verb_templates(
        ("the empty {cup} on the coaster", "the {cup} onto the round coaster"), ("the {cup} upon the cork coaster",)
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The cup on one side, the coaster nearer to the middle."""
        side = float(rng.choice((-1.0, 1.0)))
        style = str(rng.choice(NAMES))
        place = spot(rng, _mirrored((0.15, 0.3), side), (-0.2, 0.05), yaw=(-np.pi, np.pi))
        goal = spot(rng, _mirrored((-0.05, 0.1), side), (-0.2, 0.05), away=[(place, 0.1)])
        self.thing = self.world.add(cup("cup", style), place)
        self.coaster = self.world.add(coaster("coaster"), goal, static=True)
        self.spots = turns(self.coaster.point("top").moved(z=0.001), ROUND)
        self.arm = arm_for(place.p[0])
        self.words = {"cup": style, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: within 3.5 cm (level) and 1.5 cm (height) of the coaster's top, grippers open."""
        x, y, z = offset(self.thing.pose, self.coaster.point("top"))
        return bool(np.hypot(x, y) < 0.035 and z < 0.015) and self.opened()


def _mirrored(between: tuple[float, float], side: float) -> tuple[float, float]:
    low, high = sorted(side * value for value in between)
    return low, high
