"""Lift the two bottles, one with each hand. Layout and goal as RoboTwin's envs/pick_dual_bottles.py."""

from __future__ import annotations

from aim_jax.sim.families.bottle_pair import BottlePairTask
from aim_jax.sim.wording import LIFT, LIFT_UNSEEN, verb_templates


class PickDualBottles(BottlePairTask):
    """A green and a cola bottle are held up in front of the robot."""

    name = "pick_dual_bottles"
    styles = (("green bottle",), ("cola bottle",))
    seen, unseen = verb_templates(
        ("the {first} and the {second}, one in each hand", "both bottles by their necks"),
        ("the two bottles, one per hand",),
        LIFT,
        LIFT_UNSEEN,
        arms="both",
    )
