"""Put the can beside the pot. Layout and goal as RoboTwin's envs/move_can_pot.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask
from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.can import SAUCES, can
from aim_jax.sim.objects.pot import VARIANTS, pot
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.scene_facts import TABLE_TOP
from aim_jax.sim.skills.carry import turns
from aim_jax.sim.skills.grasp import ROUND
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates

_BESIDE = 0.18  # metres from the pot's middle


class MoveCanPot(PutTask):
    """The can stands beside the pot, on the side it came from, grippers open."""

    name = "move_can_pot"
    symmetry = ROUND
    seen, unseen = verb_templates(
        ("the {can} beside the {pot}", "the {can} next to the {pot} on its {arm} side"),
        ("the {can} close to the {pot}",),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The pot in the middle, the can behind it to the left or right."""
        variant, style = int(rng.integers(VARIANTS)), str(rng.choice(SAUCES))
        middle = turned("z", rng.uniform(-np.pi / 8, np.pi / 8), (0.0, 0.0, TABLE_TOP))
        place = spot(rng, (-0.3, 0.3), (0.05, 0.15), away=[(middle, 0.3)], middle=0.2, yaw=(-np.pi / 4, np.pi / 4))
        self.pot = self.world.add(pot("pot", variant), middle)
        self.thing = self.world.add(can("can", style), place)
        self.side = 1.0 if place.p[0] > 0 else -1.0
        self.spots = turns(Pose((self.side * _BESIDE, 0.0, self.world.table_top + 0.001)), ROUND)
        self.arm = arm_for(place.p[0])
        self.words = {"can": style, "pot": ("steel pot", "red pot")[variant], "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: at most 20 cm beside the pot, within 3.5 cm of its y, upright on the table, grippers open."""
        pose = self.thing.pose
        beside = self.side * (pose.p[0] - self.pot.pose.p[0])
        near = 0 < beside < 0.2 and abs(pose.p[1] - self.pot.pose.p[1]) < 0.035
        upright = pose.rotation[2, 2] > np.cos(np.deg2rad(15)) and pose.p[2] < self.world.table_top + 0.002
        return bool(near and upright) and self.opened()
