"""Open a laptop. Layout and goal as RoboTwin's envs/open_laptop.py."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from aim_jax.sim.objects import laptop
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.scene_facts import TABLE_TOP
from aim_jax.sim.skills.hands import Actions, Hands, heading
from aim_jax.sim.skills.lead import grasp_and_lead, led, smooth_way
from aim_jax.sim.skills.poses import direction, pointing, sideways
from aim_jax.sim.task import Task
from aim_jax.sim.wording import templates

_AWAY, _DEPTH, _BELOW = 0.07, 0.010, 0.018  # metres of the tool centre before, behind and below the lid's edge
_OPEN = 0.5  # share of the lid's range that the expert opens it to


class OpenLaptop(Task):
    """The lid is opened to 40 % of its range with the tool centre within 10 cm of its edge."""

    name = "open_laptop"
    pressed = ("laptop_lid",)
    seen, unseen = templates(
        (
            "open the {laptop}",
            "lift the lid of the {laptop}",
            "raise the screen of the {laptop}",
            "unfold the {laptop}",
            "reach under the edge of the {laptop}'s lid and lift it",
            "flip the {laptop} open",
            "pull up the lid of the {laptop}",
            "swing the {laptop}'s screen up",
            "push up the front edge of the lid to open the {laptop}",
            "open up the {laptop} on the table",
        ),
        ("get the {laptop} ready to type on", "tilt the {laptop}'s display back"),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """A laptop near the middle, turned by up to 60°."""
        yaw, variant = rng.uniform(-np.pi / 3, np.pi / 3), int(rng.integers(laptop.VARIANTS))
        place = turned("z", yaw, (rng.uniform(-0.05, 0.05), rng.uniform(-0.1, 0.05), TABLE_TOP))
        self.laptop = self.world.add_mechanism(laptop.laptop("laptop", variant), place)
        self.lid = self.laptop.links["laptop_lid"]
        self.arm = "left" if yaw < 0 else "right"  # the arm that the front faces
        self.words = {"laptop": laptop.NAMES[variant], "arm": self.arm}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """Reach under the lid's front edge with closed fingers and lead it up."""
        yield from grasp_and_lead(hands, self.arm, smooth_way(hands, self.arm, self._ways()), opening=0.0)

    def _ways(self) -> Iterator[tuple[Pose, Pose, list[Pose]]]:
        """The lid rests on the fingers, so the hand may turn less than it and come from any side."""
        for side, share, pitch in itertools.product((self.arm, "middle"), (0.6, 1.0, 0.2), (0.2, 0.5, 0.0)):
            edge = self.lid.point(side)
            _, inwards, outwards = edge.rotation.T
            square = float(np.arctan2(-inwards[0], inwards[1]))
            yaw = square + share * (heading(self.arm, edge.p) - square)
            forward = direction(yaw, pitch)
            hand = pointing(edge.position + _DEPTH * forward - _BELOW * outwards, forward, sideways(yaw))
            for turning in (0.4, 0.0):
                curve = led(self.laptop, self.lid.name, hand, _OPEN * laptop.OPENS, turning)
                yield hand.moved(*(-_AWAY * direction(yaw))), hand, curve

    def success(self) -> bool:
        """RoboTwin: 40 % of the range, and the tool centre of the arm within 10 cm of the lid's edge."""
        gap = np.linalg.norm(self.world.tcp(self.arm).position - self.lid.point("middle").position)
        return self.laptop.opened(self.lid.name) >= 0.4 and bool(gap < 0.1)
