"""Stack two bowls in the middle. Layout and goal as RoboTwin's envs/stack_bowls_two.py."""

from __future__ import annotations

from aim_jax.sim.families.bowl_stack import StackBowlsTask
from aim_jax.sim.wording import verb_templates


class StackBowlsTwo(StackBowlsTask):
    """The two bowls stand in each other, grippers open."""

    name = "stack_bowls_two"
    count = 2
    seen, unseen = verb_templates(
        ("the two bowls in the middle", "the {first} and the {second} into each other"),
        ("both bowls one inside the other",),
        verbs=("stack", "pile up", "nest", "put together", "stack up"),
        unseen_verbs=("heap up", "assemble", "gather and stack", "collect", "tidy up"),
        arms="any",
    )
