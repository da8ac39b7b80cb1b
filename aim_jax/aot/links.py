"""Modelled seconds of a collective on a slice's network.

A collective over a ring takes bytes / (bandwidth of both directions of the ring's links); over a whole torus each axis
carries its share at the same time. An axis that is no ring (v5e and v6e wrap around at 16 chips, v4, v5p and 7x at
multiples of 4) offers one direction. Between slices every chip has its share of the data-centre network.
Source of figures and formulas: "How to Scale Your Model" (Austin et al. 2025), sections TPUs and Sharding.
"""

from __future__ import annotations

from typing import NamedTuple

from aim_jax.aot.cost import Transfer
from aim_jax.errors import AimError


class Network(NamedTuple):
    """Links of a generation.

    Attributes:
        link: bytes per second of one link in one direction.
        axes: dimensions of the torus.
        wraps: an axis is a ring if its length is a multiple of this.
        outside: bytes per second of one chip to other slices.
        clock: cycles per second of the chip; 0 where it is not public, and no cycles are turned into time.
    """

    link: float
    axes: int
    wraps: int
    outside: float
    clock: float


NETWORKS = {
    "v4": Network(45e9, 3, 4, 3.125e9, 1.05e9),
    "v5e": Network(45e9, 2, 16, 3.125e9, 1.5e9),
    "v5p": Network(90e9, 3, 4, 6.25e9, 1.75e9),
    "v6e": Network(90e9, 2, 16, 12.5e9, 1.75e9),
    "7x": Network(90e9, 3, 4, 12.5e9, 0.0),
}


class Fabric:
    """The network of a topology.

    Args:
        chip: generation.
        shape: chips along each axis of one slice.
        slices: slices.

    Raises:
        AimError: the generation is unknown.
    """

    def __init__(self, chip: str, shape: tuple[int, ...], slices: int = 1) -> None:
        if chip not in NETWORKS:
            raise AimError(f"Nothing is known of the links of {chip}", wanted=", ".join(NETWORKS))
        self.network, self.shape, self.slices = NETWORKS[chip], shape, slices
        self.chips = 1
        for side in shape:
            self.chips *= side

    def seconds(self, transfer: Transfer) -> float:
        """Time of one collective, without latency."""
        group = transfer.group or self.chips * self.slices
        if group <= 1:
            return 0.0
        moved = {
            "all-reduce": 2 * transfer.bytes * (group - 1) / group,
            "collective-permute": float(transfer.bytes),
            "all-to-all": transfer.bytes / 4,
        }.get(transfer.kind, transfer.bytes * (group - 1) / group)
        if group > self.chips:
            # Each slice needs the others' part once; its chips fetch it together.
            part = transfer.bytes * (self.slices - 1) / self.slices
            outside = (2 if transfer.kind == "all-reduce" else 1) * part / (self.chips * self.network.outside)
            return max(outside, moved / self._bandwidth(self.chips))
        return moved / self._bandwidth(1 if transfer.kind == "collective-permute" else group)

    def _bandwidth(self, group: int) -> float:
        """Bytes per second that reach a chip from the others of its group."""
        if group == 1:
            return self.network.link
        rates = sorted((self._axis(side) for side in self.shape if side > 1), reverse=True)
        if not rates:
            return self.network.link
        # The mesh axes run along whole sides of the slice: a group has as many sides as it takes to hold it.
        sides, held = [], 1
        for side in sorted((s for s in self.shape if s > 1), reverse=True):
            if held >= group:
                break
            held *= side
            sides.append(side)
        return sum(self._axis(side) for side in sides)

    def _axis(self, side: int) -> float:
        return self.network.link * (2 if side % self.network.wraps == 0 else 1)
