"""Put both cans into the plastic box. Layout and goal as RoboTwin's envs/place_cans_plasticbox.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.baskets import BOXES, plastic_box
from aim_jax.sim.objects.can import DRINKS, can
from aim_jax.sim.robot import ARMS
from aim_jax.sim.skills.carry import Carrier, Hold, turns
from aim_jax.sim.skills.grasp import ROUND
from aim_jax.sim.skills.hands import Actions, Hands
from aim_jax.sim.task import Task
from aim_jax.sim.wording import verb_templates

_CLEAR = 0.1  # metres


class PlaceCansPlasticbox(Task):
    """Each can stands within 4 cm of a place in the box, grippers open."""

    name = "place_cans_plasticbox"
    seen, unseen = verb_templates(
        ("the {first} and the {second} in the {box}", "both cans into the {box}"),
        ("the two drinks inside the {box}",),
        arms="both",
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The box in the middle, a can on either side."""
        box, styles = str(rng.choice(list(BOXES))), [str(style) for style in rng.choice(DRINKS, 2)]
        self.box = self.world.add(plastic_box("box", box), spot(rng, (0.0, 0.0), (-0.15, -0.1)))
        places = (spot(rng, (-0.25, -0.17), (-0.15, -0.07)), spot(rng, (0.17, 0.25), (-0.15, -0.07)))
        self.cans = {
            arm: self.world.add(can(f"{arm}_can", style), place)
            for arm, style, place in zip(ARMS, styles, places, strict=True)
        }
        self.words = {"first": styles[0], "second": styles[1], "box": box}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """Both are picked at once, then put into the box one after the other."""
        carrier = Carrier(hands, self.world)
        spots = {arm: turns(self.box.point(arm).moved(z=0.002), np.pi / 2) for arm in ARMS}
        holds = {arm: Hold(self.cans[arm], spots[arm], symmetry=ROUND) for arm in ARMS}
        yield from carrier.pick(holds, lift=_CLEAR)
        for arm in ARMS:
            yield from carrier.place(
                {arm: (self.cans[arm], spots[arm])}, hover=_CLEAR, release=0.85, retreat=_CLEAR, up=True
            )
            yield hands.move({}, home=[arm])

    def success(self) -> bool:
        """RoboTwin: each within 4 cm (level) of one of the box's two places, grippers open."""
        places = [self.box.point(arm).position[:2] for arm in ARMS]
        gaps = [min(np.hypot(*(c.pose.position[:2] - place)) for place in places) for c in self.cans.values()]
        return bool(max(gaps) < 0.04) and all(map(self.world.gripper_open, ARMS))
