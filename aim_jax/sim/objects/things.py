"""A choice of small things that one hand can carry: each kind with its styles, which are also its names in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from aim_jax.sim.objects import boxes, bread, cards, mouse, phone, remote, rubiks_cube, stapler, tea_box, toy_car
from aim_jax.sim.objects.blueprint import Blueprint

_KINDS: dict[str, tuple[Callable[[str, str], Blueprint], tuple[str, ...]]] = {
    "bread": (bread.bread, bread.NAMES),
    "cards": (cards.cards, cards.NAMES),
    "coffee_box": (boxes.coffee_box, tuple(boxes.COFFEE)),
    "mouse": (mouse.mouse, mouse.NAMES),
    "phone": (phone.phone, phone.NAMES),
    "remote": (remote.remote, remote.NAMES),
    "rubiks_cube": (rubiks_cube.rubiks_cube, rubiks_cube.NAMES),
    "soap": (boxes.soap, tuple(boxes.SOAP)),
    "stapler": (stapler.stapler, stapler.NAMES),
    "tea_box": (tea_box.tea_box, tea_box.NAMES),
    "toy_car": (toy_car.toy_car, toy_car.NAMES),
    "wooden_block": (boxes.wooden_block, tuple(boxes.WOOD)),
}
KINDS = tuple(_KINDS)


def draw_thing(rng: np.random.Generator, kinds: Sequence[str] = KINDS) -> tuple[Blueprint, str]:
    """A thing of one of the kinds, and what to call it; its body has the kind's name."""
    kind = str(rng.choice(list(kinds)))
    make, styles = _KINDS[kind]
    style = str(rng.choice(styles))
    return make(kind, style), style
