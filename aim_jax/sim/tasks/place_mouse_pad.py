"""Put the mouse on its pad, straight. Layout and goal as RoboTwin's envs/place_mouse_pad.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask, offset, yaw_gap
from aim_jax.sim.layouts import side_of, spot
from aim_jax.sim.objects.mouse import NAMES, mouse
from aim_jax.sim.objects.pads import COLORS, pad
from aim_jax.sim.skills.carry import turns
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates

_MAX_TURN = 2 * np.arccos(np.sqrt(0.475 / 0.5))  # radians; from RoboTwin's bound on a product of quaternion parts


class PlaceMousePad(PutTask):
    """The mouse lies along the pad's middle, grippers open."""

    name = "place_mouse_pad"
    seen, unseen = verb_templates(
        ("the {mouse} on the {color} mouse pad", "the {mouse} straight onto the {color} mat"),
        ("the {mouse} along the {color} pad",),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """Mouse and pad on the same side, the mouse turned anyhow."""
        style, color = str(rng.choice(NAMES)), str(rng.choice(list(COLORS)))
        place = spot(rng, (-0.25, 0.25), (-0.2, 0.0), middle=0.05, yaw=(-np.pi, np.pi))
        goal = spot(rng, side_of(place, 0.05, 0.25), (-0.2, 0.0), away=[(place, 0.125)])
        self.thing = self.world.add(mouse("mouse", style), place)
        self.pad = self.world.add(pad("pad", color, (0.035, 0.065)), goal, static=True)
        self.spots = turns(self.pad.point("top").moved(z=0.001), np.pi)
        self.arm = arm_for(place.p[0])
        self.words = {"mouse": style, "color": color, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: within 1.5 cm (x) and 1.2 cm (y), along the pad to 26°, grippers open."""
        near = np.all(offset(self.thing.pose, self.pad.point("top"))[:2] < (0.015, 0.012))
        return bool(near) and yaw_gap(self.thing.pose, 0.0, np.pi) < _MAX_TURN and self.opened()
