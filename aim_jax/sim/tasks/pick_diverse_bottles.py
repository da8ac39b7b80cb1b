"""Lift two bottles of any make, one with each hand. Layout and goal as RoboTwin's envs/pick_diverse_bottles.py."""

from __future__ import annotations

from aim_jax.sim.families.bottle_pair import BottlePairTask
from aim_jax.sim.objects.bottle import NAMES
from aim_jax.sim.wording import LIFT, LIFT_UNSEEN, verb_templates


class PickDiverseBottles(BottlePairTask):
    """Two bottles of any make are held up in front of the robot."""

    name = "pick_diverse_bottles"
    styles = (NAMES, NAMES)
    seen, unseen = verb_templates(
        ("the {first} and the {second}, one in each hand", "the {first} left and the {second} right"),
        ("the {first} and the {second} together",),
        LIFT,
        LIFT_UNSEEN,
        arms="both",
    )
