"""Pick the lying bottle up and hold it upright at the side. Layout and goal as RoboTwin's envs/adjust_bottle.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.bottle import NAMES, bottle, lying_height
from aim_jax.sim.pose import Pose, about, turned
from aim_jax.sim.skills.carry import Carrier, Hold
from aim_jax.sim.skills.hands import Actions, Hands
from aim_jax.sim.task import Task
from aim_jax.sim.wording import LIFT, LIFT_UNSEEN, verb_templates

_SIDE, _HEIGHT = 0.15, 0.9  # metres that the bottom of the bottle has to pass


class AdjustBottle(Task):
    """The bottle is held upright, 16 cm up, on the side where it lay."""

    name = "adjust_bottle"
    seen, unseen = verb_templates(
        ("the lying {bottle} upright", "the {bottle} and hold it with its cap up"),
        ("the {bottle} so that its head is up",),
        LIFT,
        LIFT_UNSEEN,
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The bottle lies near the middle, its cap towards the middle."""
        self.side = float(rng.choice((-1.0, 1.0)))
        style = str(rng.choice(NAMES))
        near, far = sorted((0.08 * self.side, 0.12 * self.side))
        place = spot(rng, (near, far), (-0.13, -0.08), yaw=(-0.4, 0.4), height=lying_height(style))
        lying = Pose((0.06 * self.side, 0.0, 0.0), about("y", -self.side * np.pi / 2))
        self.bottle = self.world.add(bottle("bottle", style), place @ lying)
        self.arm = "right" if self.side > 0 else "left"
        self.words = {"bottle": style, "arm": self.arm}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """Across the body from above, up, and the hand tilts until the cap is up."""
        carrier = Carrier(hands, self.world)
        upright = [
            turned("z", float(turn), (self.side * x, -0.12, _HEIGHT + z))
            for x, z in ((0.22, 0.03), (0.18, 0.02), (0.27, 0.03))
            for turn in np.arange(-np.pi, np.pi, np.pi / 6)
        ]
        yield from carrier.pick({self.arm: Hold(self.bottle, upright, ("side",))}, lift=0.1)
        yield from carrier.bring({self.arm: (self.bottle, upright)})

    def success(self) -> bool:
        """RoboTwin: the bottom of the bottle above 0.9 m and 15 cm to its side; here also upright to 30°."""
        pose = self.bottle.pose
        upright = pose.rotation[2, 2] > np.cos(np.deg2rad(30))
        return bool(self.side * pose.p[0] > _SIDE and pose.p[2] > _HEIGHT and upright)
