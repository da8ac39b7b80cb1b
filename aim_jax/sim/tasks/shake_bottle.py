"""Pick up a bottle and shake it. Layout and goal as RoboTwin's envs/shake_bottle.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from aim_jax.sim.objects.bottle import NAMES, bottle
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.scene_facts import TABLE_TOP
from aim_jax.sim.skills.hands import Actions, Hands
from aim_jax.sim.skills.side import first_plan, grasp_from_side, shake, shaken, side_grasps
from aim_jax.sim.task import Task, arm_for
from aim_jax.sim.wording import templates

_LIFT, _RISE, _TIMES = 0.10, 0.05, 3  # metres, metres
_LIFTED = 0.8  # metres
_ORIGIN = 0.045  # metres of the frame of RoboTwin's bottles above their bottom, where ours have it


class ShakeBottle(Task):
    """The bottle is lifted by 1.5 cm: like RoboTwin's, the check does not look at the shaking.

    Attributes:
        tilts: what the bottle may be tilted by between the shakes, the first that can be reached, radians.
        swing: by how much it is turned either way, radians.
    """

    tilts: ClassVar[tuple[float, ...]] = (0.0, 0.3, -0.3)
    swing: ClassVar[float] = 0.9

    name = "shake_bottle"
    seen, unseen = templates(
        (
            "shake the {bottle}",
            "pick up the {bottle} and shake it",
            "grab the {bottle} and swing it to and fro",
            "lift the {bottle} and give it a shake",
            "take hold of the {bottle} and shake it well",
            "hold the {bottle} in the air and shake it",
            "mix what is in the {bottle} by shaking it",
            "raise the {bottle} from the table and shake it",
            "grasp the {bottle} at its body, lift it and shake",
            "get the {bottle} and shake it several times",
        ),
        ("stir up the contents of the {bottle}", "fetch the {bottle} and rock it back and forth"),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """An upright bottle before either arm."""
        x = rng.uniform(0.1, 0.15) * rng.choice((-1.0, 1.0))
        place = (x, rng.uniform(-0.15, -0.05), TABLE_TOP)
        style = str(rng.choice(NAMES))
        self.bottle = self.world.add(bottle("bottle", style), turned("z", rng.uniform(-0.8, 0.8), place))
        self.arm = arm_for(x)
        self.words = {"bottle": style, "arm": self.arm}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """Grasp the body from the side, lift, shake."""
        before, grasp, *moves = first_plan(hands, self.arm, self._plans())
        yield from grasp_from_side(hands, self.arm, before, grasp)
        yield hands.slide({self.arm: moves[0]})
        yield from shake(hands, self.arm, moves[1:])

    def _plans(self) -> Iterator[Sequence[Pose]]:
        for before, grasp in side_grasps(self.arm, self.bottle.point("body")):
            lifted = grasp.moved(z=_LIFT)
            for tilt in self.tilts:
                yield before, grasp, lifted, *shaken(lifted, tilt, self.swing, _RISE, _TIMES)

    def success(self) -> bool:
        """RoboTwin: the bottle's origin is higher than 0.8 m over a table of the usual height."""
        return self.bottle.pose.p[2] + _ORIGIN > _LIFTED + self.world.variation.table_dz
