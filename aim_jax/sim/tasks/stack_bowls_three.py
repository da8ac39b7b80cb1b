"""Stack three bowls in the middle. Layout and goal as RoboTwin's envs/stack_bowls_three.py."""

from __future__ import annotations

from aim_jax.sim.families.bowl_stack import StackBowlsTask
from aim_jax.sim.wording import verb_templates


class StackBowlsThree(StackBowlsTask):
    """The three bowls stand in each other, grippers open."""

    name = "stack_bowls_three"
    count = 3
    seen, unseen = verb_templates(
        ("the three bowls in the middle", "the {first}, the {second} and the {third} into each other"),
        ("all three bowls one inside the other",),
        verbs=("stack", "pile up", "nest", "put together", "stack up"),
        unseen_verbs=("heap up", "assemble", "gather and stack", "collect", "tidy up"),
        arms="any",
    )
