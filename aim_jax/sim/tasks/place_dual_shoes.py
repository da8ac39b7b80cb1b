"""Put the pair of shoes into the shoe box, toes to the left. Layout and goal as RoboTwin's envs/place_dual_shoes.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aim_jax.sim.families.put import facing, offset
from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.shoe import NAMES, shoe, shoe_box
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.robot import ARMS
from aim_jax.sim.scene_facts import TABLE_TOP
from aim_jax.sim.skills.carry import Carrier, Hold
from aim_jax.sim.skills.hands import Actions, Hands
from aim_jax.sim.task import Task
from aim_jax.sim.wording import verb_templates

_SLOTS = {"left": "near", "right": "far"}  # where each arm's shoe goes
_RELEASE = 0.85  # of the opening: leaves the other shoe alone
_CLEAR = 0.075  # metres over the floor of the box


class PlaceDualShoes(Task):
    """Both shoes stand in the box side by side, toes to the left, grippers open."""

    name = "place_dual_shoes"
    seen, unseen = verb_templates(
        ("the two {shoe}s in the shoe box, toes to the left", "the pair of {shoe}s into the box, tips pointing left"),
        ("both {shoe}s in the box so that they point to the left",),
        arms="both",
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The box in the middle, a shoe on either side, turned anyhow."""
        style = str(rng.choice(NAMES))
        self.box = self.world.add(shoe_box("shoe_box"), Pose((0.0, -0.13, TABLE_TOP)), static=True)
        places = {
            "left": spot(rng, (-0.3, -0.24), (-0.1, 0.05), yaw=(-np.pi, np.pi)),
            "right": spot(rng, (0.24, 0.3), (-0.1, 0.05), yaw=(-np.pi, np.pi)),
        }
        self.shoes = {arm: self.world.add(shoe(f"{arm}_shoe", style), places[arm]) for arm in ARMS}
        self.words = {"shoe": style}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """The right shoe into the far half of the box, then the left one into the near half."""
        carrier = Carrier(hands, self.world)
        for arm in ("right", "left"):
            hold = Hold(self.shoes[arm], [self.box.point(_SLOTS[arm]).moved(z=0.002)])
            yield from carrier.carry(arm, hold, hover=_CLEAR, release=_RELEASE, up=True)

    def success(self) -> bool:
        """RoboTwin: within 5 cm (x, y) of their places, 3 cm of the box's floor, quaternions within 0.07, open."""
        for arm in ARMS:
            gap, pose = offset(self.shoes[arm].pose, self.box.point(_SLOTS[arm])), self.shoes[arm].pose
            if not np.all(gap < (0.05, 0.05, 0.03)) or not facing(pose, turned("z", np.pi / 2), 0.07):
                return False
        return all(map(self.world.gripper_open, ARMS))
