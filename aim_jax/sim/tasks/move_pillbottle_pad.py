"""Put the pill bottle on the pad. Layout and goal as RoboTwin's envs/move_pillbottle_pad.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask, offset
from aim_jax.sim.layouts import side_of, spot
from aim_jax.sim.objects.pads import pad
from aim_jax.sim.objects.pill_bottle import NAMES, pill_bottle
from aim_jax.sim.skills.carry import turns
from aim_jax.sim.skills.grasp import ROUND
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates


class MovePillbottlePad(PutTask):
    """The bottle stands within 3 cm (x and y) of the pad's middle, grippers open."""

    name = "move_pillbottle_pad"
    symmetry = ROUND
    seen, unseen = verb_templates(
        ("the {bottle} on the blue pad", "the {bottle} onto the middle of the pad"),
        ("the medicine on the blue square",),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """Bottle and pad on the same side."""
        style = str(rng.choice(NAMES))
        place = spot(rng, (-0.25, 0.25), (-0.1, 0.1), middle=0.05)
        goal = spot(rng, side_of(place, 0.05, 0.25), (-0.2, 0.1), away=[(place, 0.1)])
        self.thing = self.world.add(pill_bottle("pill_bottle", style), place)
        self.pad = self.world.add(pad("pad", "blue", (0.04, 0.04)), goal, static=True)
        self.spots = turns(self.pad.point("top").moved(z=0.001), ROUND)
        self.arm = arm_for(place.p[0])
        self.words = {"bottle": style, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: within 3 cm (x, y) of the pad and 5 mm of its height, grippers open."""
        return bool(np.all(offset(self.thing.pose, self.pad.point("top")) < (0.03, 0.03, 0.005))) and self.opened()
