"""Turn the payment sign so that its code faces the robot. Layout and goal as RoboTwin's envs/rotate_qrcode.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask, facing
from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.payment_sign import NAMES, payment_sign
from aim_jax.sim.pose import Pose
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates


class RotateQrcode(PutTask):
    """The sign stands with its code towards the robot, grippers open."""

    name = "rotate_qrcode"
    seen, unseen = verb_templates(
        ("the {sign} so that its QR code faces you", "the {sign} around until the code looks towards the robot"),
        ("the {sign} to show its QR code to the robot",),
        verbs=("turn", "rotate", "pick up and turn", "spin", "lift and rotate"),
        unseen_verbs=("swivel", "reorient", "twist", "swing", "grab and turn"),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The sign shows its back."""
        style = str(rng.choice(NAMES))
        place = spot(rng, (-0.25, 0.25), (-0.2, 0.0), middle=0.05, yaw=(np.pi - 0.7, np.pi + 0.7))
        self.thing = self.world.add(payment_sign("payment_sign", style), place)
        side = 1.0 if place.p[0] > 0 else -1.0
        spots = [(x, y) for x in (0.2, 0.14, 0.26) for y in (-0.15, -0.08)]
        self.spots = [Pose((side * x, y, self.world.table_top + 0.001)) for x, y in spots]
        self.arm = arm_for(place.p[0])
        self.words = {"sign": style, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: quaternion within 0.05 of facing the robot, standing on the table, grippers open."""
        standing = self.thing.pose.p[2] < self.world.table_top + 0.01
        return facing(self.thing.pose, Pose(), 0.05) and standing and self.opened()
