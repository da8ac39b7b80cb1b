"""Put the stapler along the pad. Layout and goal as RoboTwin's envs/move_stapler_pad.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask, offset, yaw_gap
from aim_jax.sim.layouts import side_of, spot
from aim_jax.sim.objects.pads import COLORS, pad
from aim_jax.sim.objects.stapler import NAMES, stapler
from aim_jax.sim.pose import turned
from aim_jax.sim.skills.carry import turns
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates

_MAX_TURN = 2 * np.arcsin(0.02)  # radians; from RoboTwin's bound of 0.02 on quaternion parts


class MoveStaplerPad(PutTask):
    """The stapler lies along the pad, within 2 cm of its middle, grippers open."""

    name = "move_stapler_pad"
    seen, unseen = verb_templates(
        ("the {stapler} on the {color} pad", "the {stapler} straight onto the {color} mat"),
        ("the {stapler} along the {color} pad",),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """Stapler and pad on the same side, the stapler turned anyhow."""
        style, color = str(rng.choice(NAMES)), str(rng.choice(list(COLORS)))
        place = spot(rng, (-0.25, 0.25), (-0.2, 0.0), middle=0.05, yaw=(-np.pi, np.pi))
        goal = spot(rng, side_of(place, 0.05, 0.25), (-0.2, 0.0), away=[(place, 0.13)])
        self.thing = self.world.add(stapler("stapler", style), place)
        self.pad = self.world.add(pad("pad", color, (0.055, 0.03)), goal, static=True)
        self.spots = turns(self.pad.point("top").moved(z=0.001) @ turned("z", np.pi / 2), np.pi)
        self.arm = arm_for(place.p[0])
        self.words = {"stapler": style, "color": color, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: within 2 cm (x, y) and 1 cm (z), along the pad to 2.3°, grippers open."""
        near = np.all(offset(self.thing.pose, self.pad.point("top")) < (0.02, 0.02, 0.01))
        return bool(near) and yaw_gap(self.thing.pose, np.pi / 2, np.pi) < _MAX_TURN and self.opened()
