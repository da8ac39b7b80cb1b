"""Put the two pieces of bread into the basket. Layout and goal as RoboTwin's envs/place_bread_basket.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aim_jax.sim.families.put import offset
from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.baskets import BREAD_BASKETS, bread_basket
from aim_jax.sim.objects.bread import NAMES, bread
from aim_jax.sim.pose import Pose
from aim_jax.sim.robot import ARMS
from aim_jax.sim.skills.carry import Carrier, Hold, turns
from aim_jax.sim.skills.hands import Actions, Hands
from aim_jax.sim.task import Task, arm_for
from aim_jax.sim.wording import verb_templates

_BESIDE = 0.034  # metres of each piece from the basket's middle, along its length
_CLEAR = 0.1  # metres


class PlaceBreadBasket(Task):
    """Both pieces of bread lie within 5 cm of the basket's middle, grippers open."""

    name = "place_bread_basket"
    seen, unseen = verb_templates(
        ("the two pieces of bread in the {basket}", "the {first} and the {second} into the {basket}"),
        ("all the bread inside the {basket}",),
        arms="any",
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The basket near the robot, the bread to the left or right."""
        basket = str(rng.choice(list(BREAD_BASKETS)))
        middle = spot(rng, (0.0, 0.0), (-0.2, -0.2), yaw=(-np.pi, np.pi))
        self.basket = self.world.add(bread_basket("basket", basket), middle)
        places: list[Pose] = []
        for _ in range(2):
            away = [(middle, 0.1), *((place, 0.1) for place in places)]
            places.append(spot(rng, (-0.27, 0.27), (-0.2, 0.05), away=away, middle=0.15, yaw=(-np.pi / 4, np.pi / 4)))
        styles = [str(style) for style in rng.choice(NAMES, 2)]
        self.bread = [self.world.add(bread(f"bread{i}", styles[i]), places[i]) for i in range(2)]
        self.words = {"basket": basket, "first": styles[0], "second": styles[1]}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """One piece after the other, each into its own half of the basket."""
        carrier, floor = Carrier(hands, self.world), self.basket.point("floor")
        ends = sorted((floor @ Pose((x, 0.0, 0.004)) for x in (-_BESIDE, _BESIDE)), key=lambda pose: pose.p[0])
        pieces = sorted(self.bread, key=lambda actor: actor.pose.p[0])
        for actor, end in zip(pieces, ends, strict=True):
            arm, spots = arm_for(actor.pose.p[0]), turns(end, np.pi)
            yield from carrier.pick({arm: Hold(actor, spots)}, lift=_CLEAR)
            yield from carrier.place({arm: (actor, spots)}, hover=_CLEAR, release=0.7, retreat=_CLEAR, up=True)
            yield hands.move({}, home=[arm])

    def success(self) -> bool:
        """RoboTwin: both within 5 cm (x, y) of the basket and not fallen, grippers open."""
        inside = [np.all(offset(piece.pose, self.basket.pose)[:2] < 0.05) for piece in self.bread]
        above = [piece.pose.p[2] > self.world.table_top - 0.01 for piece in self.bread]
        return bool(all(inside) and all(above)) and all(map(self.world.gripper_open, ARMS))
