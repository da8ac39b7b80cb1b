"""Put the bowl or cup on the plate. Layout and goal as RoboTwin's envs/place_container_plate.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask, offset
from aim_jax.sim.layouts import spot
from aim_jax.sim.objects import cup, tableware
from aim_jax.sim.skills.carry import turns
from aim_jax.sim.skills.grasp import ROUND
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates


class PlaceContainerPlate(PutTask):
    """The container stands within 5 cm (x and y) of the plate's middle, grippers open."""

    name = "place_container_plate"
    symmetry = ROUND
    seen, unseen = verb_templates(
        ("the {container} on the plate", "the {container} onto the middle of the plate"),
        ("the {container} upon the white plate",),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The container to the left or right, the plate near the middle."""
        place = spot(rng, (-0.28, 0.28), (-0.1, 0.05), middle=0.2)
        x = 0.05 if place.p[0] > 0 else -0.05
        goal = spot(rng, (x - 0.03, x + 0.03), (-0.15, -0.1))
        if rng.random() < 0.5:
            style = str(rng.choice(tableware.BOWLS))
            self.thing = self.world.add(tableware.bowl("container", style), place)
        else:
            style = str(rng.choice(cup.NAMES))
            self.thing = self.world.add(cup.cup("container", style), place)
        self.plate = self.world.add(tableware.plate("plate"), goal, static=True)
        self.spots = turns(self.plate.point("top").moved(z=0.001), np.pi / 2)
        self.arm = arm_for(place.p[0])
        self.words = {"container": style, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: within 5 cm (x, y) and 3 cm (z) of the plate, grippers open."""
        return bool(np.all(offset(self.thing.pose, self.plate.pose) < (0.05, 0.05, 0.03))) and self.opened()
