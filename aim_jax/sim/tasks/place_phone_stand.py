"""Lean the phone on its stand. Layout and goal as RoboTwin's envs/place_phone_stand.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask, offset
from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.phone import HALF, NAMES, STANDS, phone, phone_stand
from aim_jax.sim.pose import Pose
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates

_SEATED = Pose((0.0, HALF[1] + 0.003, 0.002))  # the phone in the frame of the seat


class PlacePhoneStand(PutTask):
    """The phone stands on the lip of the stand, grippers open."""

    name = "place_phone_stand"
    seen, unseen = verb_templates(
        ("the {phone} on the {stand}", "the {phone} upright into the {stand}"), ("the {phone} against the {stand}",)
    )

    def layout(self, rng: np.random.Generator) -> None:
        """Phone and stand on the same side, the stand further away."""
        side = float(rng.choice((-1.0, 1.0)))
        style, stand = str(rng.choice(NAMES)), str(rng.choice(list(STANDS)))
        near, far = sorted((side * 0.05, side * 0.25)), sorted((0.0, side * 0.15))
        place = spot(rng, (near[0], near[1]), (-0.2, 0.0), yaw=(-0.7, 0.7))
        goal = spot(rng, (far[0], far[1]), (0.0, 0.2), away=[(place, 0.15)])
        self.thing = self.world.add(phone("phone", style), place)
        self.stand = self.world.add(phone_stand("phone_stand", stand), goal, static=True)
        self.spots = [self.stand.point("seat") @ _SEATED]
        self.arm = arm_for(place.p[0])
        self.words = {"phone": style, "stand": stand, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: the phone's lower edge within 4.5, 4 and 4 cm (x, y, z) of the stand's seat, grippers open."""
        gap = offset(self.thing.point("foot"), self.stand.point("seat"))
        return bool(np.all(gap < (0.045, 0.04, 0.04))) and self.opened()
