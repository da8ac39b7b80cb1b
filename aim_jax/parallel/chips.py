"""What a chip of each TPU generation can do, from the vendor's public specifications."""

from __future__ import annotations

from dataclasses import dataclass

from aim_jax.errors import AimError


@dataclass(frozen=True)
class Chip:
    """Peak figures of one chip.

    Attributes:
        name: generation, as in topology names (`v5e:4x4`).
        flops: bfloat16 matmul operations per second; a multiply and an add are two.
        hbm: bytes of memory.
        bandwidth: bytes per second between memory and chip.
        devices: JAX devices per chip.
        kinds: how JAX names the device (`device_kind`).
    """

    name: str
    flops: float
    hbm: float
    bandwidth: float
    devices: int
    kinds: tuple[str, ...]


# cloud.google.com/tpu/docs: v4, v5e, v5p, v6e, tpu7x. The links between chips are in `aim_jax.aot.links`.
CHIPS = {
    chip.name: chip
    for chip in (
        Chip("v4", 275e12, 32 * 2**30, 1.2288e12, 1, ("TPU v4",)),
        Chip("v5e", 197e12, 16 * 2**30, 819e9, 1, ("TPU v5 lite", "TPU v5e")),
        Chip("v5p", 459e12, 95 * 2**30, 2.765e12, 1, ("TPU v5", "TPU v5p")),
        Chip("v6e", 918e12, 32 * 2**30, 1.64e12, 1, ("TPU v6 lite", "TPU v6e")),
        Chip("7x", 2307e12, 192 * 2**30, 7.38e12, 2, ("TPU7x", "TPU v7x")),
    )
}


def chip_named(name: str) -> Chip:
    """The chip of a generation; `tpu7x` and `v5litepod` are understood too.

    Raises:
        AimError: there is no such generation.
    """
    short = {"tpu7x": "7x", "v7x": "7x", "v5litepod": "v5e", "v6litepod": "v6e"}.get(name, name)
    if short not in CHIPS:
        raise AimError(f"There is no TPU generation {name}", wanted=", ".join(CHIPS), got=name)
    return CHIPS[short]


def chip_of(device_kind: str) -> Chip | None:
    """The chip that a JAX device is (part of); None where it is no TPU: nothing is claimed of a CPU's peak."""
    return next((chip for chip in CHIPS.values() if device_kind in chip.kinds), None)
