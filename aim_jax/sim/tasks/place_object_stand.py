"""Put a thing on the display stand. Layout and goal as RoboTwin's envs/place_object_stand.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask, offset
from aim_jax.sim.layouts import side_of, spot
from aim_jax.sim.objects.display_stand import NAMES, display_stand
from aim_jax.sim.objects.things import draw_thing
from aim_jax.sim.pose import turned
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates

_KINDS = ("mouse", "stapler", "rubiks_cube", "toy_car", "remote")


class PlaceObjectStand(PutTask):
    """The thing is within 3 cm (x and y) of the stand's middle, grippers open."""

    name = "place_object_stand"
    seen, unseen = verb_templates(
        ("the {thing} on the {stand}", "the {thing} onto the top of the {stand}"), ("the {thing} upon the {stand}",)
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The thing to the left or right, the stand near the middle."""
        place = spot(rng, (-0.28, 0.28), (-0.05, 0.05), middle=0.2, yaw=(-np.pi / 3, np.pi / 3))
        goal = spot(rng, side_of(place, 0.0, 0.05), (-0.15, -0.1), yaw=(-np.pi / 6, np.pi / 6), away=[(place, 0.1)])
        thing, words = draw_thing(rng, _KINDS)
        style = str(rng.choice(NAMES))
        self.thing = self.world.add(thing, place)
        self.stand = self.world.add(display_stand("display_stand", style), goal)
        top = self.stand.point("top").moved(z=0.001)
        self.spots = [top @ turned("z", float(turn)) for turn in np.arange(-np.pi, np.pi, np.pi / 6)]
        self.arm = arm_for(place.p[0])
        self.words = {"thing": words, "stand": style, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: within 3 cm (x and y) of the stand, grippers open."""
        return bool(np.all(offset(self.thing.pose, self.stand.pose)[:2] < 0.03)) and self.opened()
