"""Put a thing on the scale. Layout and goal as RoboTwin's envs/place_object_scale.py."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.families.put import PutTask
from aim_jax.sim.layouts import side_of, spot
from aim_jax.sim.objects.kitchen_scale import NAMES, kitchen_scale
from aim_jax.sim.objects.things import draw_thing
from aim_jax.sim.pose import turned
from aim_jax.sim.task import arm_for
from aim_jax.sim.wording import verb_templates

_KINDS = ("mouse", "stapler", "soap")


class PlaceObjectScale(PutTask):
    """The thing lies on the scale within 3.5 cm of the plate's middle, the gripper open."""

    name = "place_object_scale"
    seen, unseen = verb_templates(
        ("the {thing} on the {scale}", "the {thing} onto the plate of the {scale}"), ("the {thing} upon the {scale}",)
    )

    def layout(self, rng: np.random.Generator) -> None:
        """Thing and scale on the same side."""
        thing, words = draw_thing(rng, _KINDS)
        style = str(rng.choice(NAMES))
        place = spot(rng, (-0.25, 0.25), (-0.2, 0.05), middle=0.02, yaw=(-np.pi, np.pi))
        goal = spot(rng, side_of(place, 0.02, 0.25), (-0.2, 0.05), away=[(place, 0.17)], yaw=(-np.pi, np.pi))
        self.thing = self.world.add(thing, place)
        self.scale = self.world.add(kitchen_scale("scale", style), goal)
        top = self.scale.point("plate").moved(z=0.001)
        self.spots = [top @ turned("z", float(turn)) for turn in np.arange(-np.pi, np.pi, np.pi / 6)]
        self.arm = arm_for(place.p[0])
        self.words = {"thing": words, "scale": style, "arm": self.arm}

    def success(self) -> bool:
        """RoboTwin: within 3.5 cm (level) of the plate and not below it, the arm's gripper open."""
        gap = self.thing.pose.position - self.scale.point("plate").position
        return bool(np.hypot(*gap[:2]) < 0.035 and gap[2] > -0.01) and self.world.gripper_open(self.arm)
