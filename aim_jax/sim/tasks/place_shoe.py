"""Put the shoe on the mat, toe to the left. Layout and goal as RoboTwin's envs/place_shoe.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask, facing, offset
from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.pads import pad
from aim_jax.sim.objects.shoe import NAMES, shoe
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.scene_facts import TABLE_TOP
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates

TOE_LEFT = np.pi / 2
"""Turn, radians, at which a shoe's toe points to −x."""
_TARGET = Pose((0.0, -0.08, TABLE_TOP))


class PlaceShoe(PutTask):
    """The shoe stands on the mat with its toe to the left, grippers open."""

    name = "place_shoe"
    seen, unseen = verb_templates(
        ("the {shoe} on the mat with its toe to the left", "the {shoe} onto the blue mat, tip pointing left"),
        ("the {shoe} on the blue mat so that it points to the left",),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The mat in the middle, the shoe beside it, turned anyhow."""
        style = str(rng.choice(NAMES))
        away = [(Pose(), 0.15), (_TARGET, 0.15)]
        place = spot(rng, (-0.25, 0.25), (-0.1, 0.05), away=away, yaw=(-np.pi, np.pi))
        self.pad = self.world.add(pad("mat", "blue", (0.13, 0.05)), _TARGET, static=True)
        self.thing = self.world.add(shoe("shoe", style), place)
        self.spots = [self.pad.point("top").moved(z=0.001) @ turned("z", TOE_LEFT)]
        self.arm = arm_for(place.p[0])
        self.words = {"shoe": style, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: within 5 cm (x) and 2 cm (y), orientation within 0.07 per quaternion part, grippers open."""
        pose = self.thing.pose
        near = np.all(offset(pose, _TARGET)[:2] < (0.05, 0.02))
        return bool(near) and facing(pose, turned("z", TOE_LEFT), 0.07) and self.opened()
