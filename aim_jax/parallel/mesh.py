"""The device mesh: axes data, fsdp, tensor, context, checked against devices, heads and batch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh

from aim_jax.errors import AimError
from aim_jax.parallel.config import MeshConfig

AXES = ("data", "fsdp", "tensor", "context")


def mesh_sizes(config: MeshConfig, devices: int) -> dict[str, int]:
    """Devices along each axis, the free axis filled.

    Args:
        config: wanted sizes; one of them may be 0.
        devices: how many there are.

    Raises:
        AimError: the sizes do not give this number of devices.
    """
    sizes = {axis: getattr(config, axis) for axis in AXES}
    shown = " × ".join(f"{axis} {size or 'free'}" for axis, size in sizes.items())
    free = [axis for axis, size in sizes.items() if size == 0]
    if min(sizes.values()) < 0 or len(free) > 1:
        raise AimError(
            "The mesh is not well formed", wanted="sizes of at least 1, and 0 on one axis at most", got=shown
        )
    fixed = math.prod(size for size in sizes.values() if size)
    if devices % fixed or (not free and fixed != devices):
        raise AimError(
            "The mesh does not fit the devices",
            wanted=f"a product that {'divides' if free else 'equals'} the {devices} devices",
            got=f"{shown} = {fixed}",
            remedy=f"choose sizes out of {_divisors(devices)} for the axes, and 0 for one that takes what is left",
        )
    for axis in free:
        sizes[axis] = devices // fixed
    return sizes


def make_mesh(config: MeshConfig, devices: Sequence[Any] | None = None) -> Mesh:
    """The mesh over `devices` (all devices of all processes unless given; those of a TPU topology are welcome).

    Neighbours on the inner axes are neighbours on the chip's network. With several slices the outermost axis that the
    number of slices divides (data, else fsdp) runs over them, since only it can bear the slower network between them.

    Raises:
        AimError: the sizes do not fit the devices or the slices.
    """
    chosen = list(jax.devices() if devices is None else devices)
    sizes = mesh_sizes(config, len(chosen))
    shape = tuple(sizes.values())
    axis_types = (AxisType.Auto,) * len(AXES)
    if chosen[0].platform != "tpu":
        return Mesh(np.array(chosen).reshape(shape), AXES, axis_types=axis_types)
    return Mesh(_tpu_order(chosen, sizes), AXES, axis_types=axis_types)


def check_fit(sizes: Mapping[str, int], *, heads: int, batch: int, microbatches: int = 1) -> None:
    """Refuses a mesh that does not divide what is to be divided.

    Args:
        sizes: devices along each axis.
        heads: attention heads.
        batch: samples of a step over all devices.
        microbatches: parts that a step's batch is worked off in.

    Raises:
        AimError: heads or batch are not divisible.
    """
    if heads % sizes["tensor"]:
        raise AimError(
            "The tensor axis does not divide the attention heads",
            wanted=f"a divisor of {heads} heads: {_divisors(heads)}",
            got=f"tensor {sizes['tensor']}",
            remedy="change parallel.mesh.tensor",
        )
    shares = sizes["data"] * sizes["fsdp"] * microbatches
    if batch < 1 or batch % shares:
        raise AimError(
            "The batch cannot be divided among the devices",
            wanted=f"a multiple of {shares}: data {sizes['data']} × fsdp {sizes['fsdp']} × microbatches {microbatches}",
            got=f"batch {batch}",
            remedy=f"set train.batch to {math.ceil(max(batch, 1) / shares) * shares}, or change the mesh",
        )


def _tpu_order(devices: list[Any], sizes: dict[str, int]) -> np.ndarray:
    from jax.experimental import mesh_utils

    shape = tuple(sizes.values())
    slices = len({getattr(device, "slice_index", 0) for device in devices})
    try:
        if slices == 1:
            return mesh_utils.create_device_mesh(shape, devices, allow_split_physical_axes=True)
        outer = next((axis for axis in ("data", "fsdp") if sizes[axis] % slices == 0), None)
        if outer is None:
            raise AimError(
                "The mesh does not run over the slices",
                wanted=f"data or fsdp as a multiple of {slices} slices",
                got=f"data {sizes['data']}, fsdp {sizes['fsdp']}",
                remedy="change parallel.mesh.data",
            )
        between = tuple(slices if axis == outer else 1 for axis in AXES)
        within = tuple(size // part for size, part in zip(shape, between, strict=True))
        return mesh_utils.create_hybrid_device_mesh(within, between, devices, allow_split_physical_axes=True)
    except (NotImplementedError, ValueError) as error:
        raise AimError(
            "The mesh cannot be laid onto the network of this slice",
            got=f"{sizes} on {len(devices)} chips: {error}",
            remedy="choose axis sizes that are products of the slice's sides",
        ) from error


def _divisors(number: int) -> str:
    return ", ".join(str(n) for n in range(1, number + 1) if number % n == 0)
