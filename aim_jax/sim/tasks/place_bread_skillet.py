"""Lift the skillet and put the bread into it. Layout and goal as RoboTwin's envs/place_bread_skillet.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.bread import NAMES as BREADS
from aim_jax.sim.objects.bread import bread
from aim_jax.sim.objects.skillet import NAMES as SKILLETS
from aim_jax.sim.objects.skillet import skillet
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.skills.carry import Carrier, Hold
from aim_jax.sim.skills.hands import Actions, Hands
from aim_jax.sim.task import Task
from aim_jax.sim.wording import verb_templates

_RAISED = 0.06  # metres over the table: where the skillet is held
_TURNS = np.arange(-np.pi, np.pi, np.pi / 6)


class PlaceBreadSkillet(Task):
    """The skillet is held in the air with the bread in it."""

    name = "place_bread_skillet"
    seen, unseen = verb_templates(
        ("the {bread} in the {skillet} held by the {other} arm", "the {bread} into the lifted {skillet}"),
        ("the {bread} inside the {skillet} while the {other} arm holds it",),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The bread on one side, the skillet on the other, its handle towards the robot."""
        words = {"bread": str(rng.choice(BREADS[:2])), "skillet": str(rng.choice(SKILLETS))}
        place = spot(rng, (-0.28, 0.28), (-0.2, 0.05), middle=0.2, yaw=(-np.pi / 4, np.pi / 4))
        self.arm, self.other = ("right", "left") if place.p[0] > 0 else ("left", "right")
        self.side = -1.0 if self.arm == "right" else 1.0  # where the skillet is
        near, far = sorted((0.15 * self.side, 0.25 * self.side))
        pan = spot(rng, (near, far), (-0.1, 0.05), yaw=(-np.pi / 6, np.pi / 6))
        self.bread = self.world.add(bread("bread", words["bread"]), place)
        self.skillet = self.world.add(skillet("skillet", words["skillet"]), pan)
        self.words = {**words, "arm": self.arm, "other": self.other}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """Both are picked at once, the skillet is held near the middle, the bread is let fall into it."""
        carrier = Carrier(hands, self.world)
        raised = self.world.table_top + _RAISED
        held = [turned("z", float(t), (0.06 * self.side, -0.05, raised)) for t in self.side * np.arange(0.0, 1.3, 0.2)]
        guess = [Pose((0.06 * self.side, -0.05, raised + 0.006)) @ turned("z", float(t)) for t in _TURNS]
        holds = {self.other: Hold(self.skillet, held), self.arm: Hold(self.bread, guess)}
        yield from carrier.pick(holds, lift=0.08)
        yield from carrier.bring({self.other: (self.skillet, held)})
        floor = Pose(self.skillet.point("floor").p).moved(z=0.006)
        spots = [floor @ turned("z", float(turn)) for turn in _TURNS]
        yield from carrier.place({self.arm: (self.bread, spots)}, release=0.85, up=True)

    def success(self) -> bool:
        """RoboTwin: the bread within 3.5 cm (x, y) of the skillet's middle, both more than 2 cm over the table."""
        floor, piece = self.skillet.point("floor").position, self.bread.pose.position
        raised = min(floor[2], piece[2]) > self.world.table_top + 0.02
        return bool(np.all(np.abs(floor - piece)[:2] < 0.035) and raised)
