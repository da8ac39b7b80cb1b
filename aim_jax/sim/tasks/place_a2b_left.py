"""Put one thing to the left of another. Layout and goal as RoboTwin's envs/place_a2b_left.py."""

from __future__ import annotations

from aim_jax.sim.families.beside import BesideTask
from aim_jax.sim.wording import verb_templates


class PlaceA2bLeft(BesideTask):
    """A lies 8 to 20 cm to the left of B, grippers open."""

    name = "place_a2b_left"
    side = -1.0
    seen, unseen = verb_templates(
        ("the {a} to the left of the {b}", "the {a} on the {b}'s left side"), ("the {a} at the left of the {b}",)
    )
