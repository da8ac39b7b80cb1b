"""Put one thing to the right of another. Layout and goal as RoboTwin's envs/place_a2b_right.py."""

from __future__ import annotations

from aim_jax.sim.families.beside import BesideTask
from aim_jax.sim.wording import verb_templates


class PlaceA2bRight(BesideTask):
    """A lies 8 to 20 cm to the right of B, grippers open."""

    name = "place_a2b_right"
    side = 1.0
    seen, unseen = verb_templates(
        ("the {a} to the right of the {b}", "the {a} on the {b}'s right side"), ("the {a} at the right of the {b}",)
    )
