"""Put the fan on the pad, facing the robot. Layout and goal as RoboTwin's envs/place_fan.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask, facing, offset
from aim_jax.sim.layouts import side_of, spot
from aim_jax.sim.objects.fan import NAMES, fan
from aim_jax.sim.objects.pads import COLORS, pad
from aim_jax.sim.pose import Pose
from aim_jax.sim.skills.grasp import ROUND
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates


class PlaceFan(PutTask):
    """The fan stands on the pad and blows towards the robot, grippers open."""

    name = "place_fan"
    symmetry = ROUND
    hover = 0.035
    seen, unseen = verb_templates(
        ("the {fan} on the {color} pad facing the robot", "the {fan} onto the {color} mat so that it faces the robot"),
        ("the {fan} on the {color} square, blowing towards the robot",),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The fan near the middle, turned anyhow; the pad on its side."""
        style, color = str(rng.choice(NAMES)), str(rng.choice(list(COLORS)))
        place = spot(rng, (-0.1, 0.1), (-0.15, -0.05), yaw=(-np.pi, np.pi))
        goal = spot(rng, side_of(place, 0.15, 0.25), (-0.15, -0.05))
        self.thing = self.world.add(fan("fan", style), place)
        self.pad = self.world.add(pad("pad", color, (0.05, 0.05)), goal, static=True)
        self.spots = [self.pad.point("top").moved(z=0.001)]
        self.arm = arm_for(place.p[0])
        self.words = {"fan": style, "color": color, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: within 4 cm of the pad, quaternion within 0.05 of the one that faces the robot, grippers open."""
        near = np.all(offset(self.thing.pose, self.pad.pose) < 0.04)
        return bool(near) and facing(self.thing.pose, Pose(), 0.05) and self.opened()
