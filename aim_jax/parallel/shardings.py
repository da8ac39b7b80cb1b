"""Shardings of whole trees: parameters, optimiser state, batches; and the placement of activations."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import nnx
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from aim_jax.array_typing import Array, PyTree
from aim_jax.models.placement import Placement
from aim_jax.parallel.rules import Decision, ShardingRules, decide


class Row(NamedTuple):
    """One line of the sharding report.

    Attributes:
        path: of the parameter, parts joined by `/`.
        shape: whole.
        axes: logical axes.
        decision: mesh axes and notes.
        bytes_total: of the whole array.
        bytes_device: of a device's part.
    """

    path: str
    shape: tuple[int, ...]
    axes: tuple[str | None, ...]
    decision: Decision
    bytes_total: int
    bytes_device: int


def shardings(tree: PyTree, mesh: Mesh, rules: ShardingRules) -> PyTree:
    """A NamedSharding for each leaf: parameters by their logical axes, everything else whole on every device.

    Moments and averages of an optimiser keep the logical axes of their parameters, so they follow them.

    Args:
        tree: arrays or shapes; NNX variables carry their logical axes.
        mesh: the devices.
        rules: the table.
    """

    def place(node: Any) -> Any:
        if not isinstance(node, nnx.Variable):
            return NamedSharding(mesh, PartitionSpec())
        leaf = node.get_value()
        return node.replace(NamedSharding(mesh, _decide(node, leaf.shape, mesh.shape, rules).spec))

    return jax.tree.map(place, tree, is_leaf=lambda node: isinstance(node, nnx.Variable))


def abstract(tree: PyTree, mesh: Mesh, rules: ShardingRules) -> PyTree:
    """`tree` as shapes with shardings: what to restore into, or to compile for."""
    return jax.tree.map(
        lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place),
        tree,
        shardings(tree, mesh, rules),
    )


def batch_sharding(mesh: Mesh, rules: ShardingRules) -> NamedSharding:
    """Of arrays whose first dimension are samples."""
    axes = tuple(axis for axis in rules.batch if mesh.shape[axis] > 1)
    return NamedSharding(mesh, PartitionSpec(axes or None))


def report(params: nnx.State, sizes: Mapping[str, int], rules: ShardingRules) -> list[Row]:
    """Every decision on the parameters, in the order of the tree."""
    rows = []
    for path, variable in nnx.to_flat_state(params):
        value = variable.get_value()
        decision = _decide(variable, value.shape, sizes, rules)
        total = math.prod(value.shape) * np.dtype(value.dtype).itemsize
        rows.append(
            Row(
                "/".join(map(str, path)),
                tuple(value.shape),
                _axes(variable, len(value.shape)),
                decision,
                total,
                total // decision.parts(sizes),
            )
        )
    return rows


class MeshPlacement(Placement):
    """The placement of activations and gathered weights on a mesh (see `models.placement`).

    Args:
        mesh: the devices.
        rules: the table.
    """

    def __init__(self, mesh: Mesh, rules: ShardingRules) -> None:
        self.mesh, self.rules = mesh, rules

    def spec(self, shape: tuple[int, ...], axes: tuple[str | None, ...]) -> PartitionSpec:
        """Mesh axes of an activation."""
        return decide(shape, axes, self.mesh.shape, self.rules).spec

    def activation(self, x: Array, axes: tuple[str | None, ...]) -> Array:
        """Constrains an activation."""
        return jax.lax.with_sharding_constraint(x, NamedSharding(self.mesh, self.spec(x.shape, axes)))

    def weights(self, params: PyTree, dtype: str | None = None) -> PyTree:
        """Gathers one layer's parameters, whose layer dimension is gone but not its name; stacked ones stay."""

        def gather(variable: Any) -> Any:
            if not isinstance(variable, nnx.Variable):
                return variable
            value = variable.get_value()
            axes = _axes(variable, value.ndim)
            if "layers" in axes:
                return variable
            sharded = decide(value.shape, axes, self.mesh.shape, self.rules, parameter=True).spec
            whole = PartitionSpec(*(_without(entry, self.rules.spill) for entry in sharded))
            if whole == sharded:
                return variable
            places = NamedSharding(self.mesh, whole), NamedSharding(self.mesh, sharded)
            return variable.replace(_gather(value, *places, dtype or str(value.dtype)))

        return jax.tree.map(gather, params, is_leaf=lambda node: isinstance(node, nnx.Variable))


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def _gather(x: Array, whole: NamedSharding, sharded: NamedSharding, dtype: str) -> Array:
    """Gathers as `dtype` going forward; going backward the gradient is summed as stored, straight into its shards."""
    # Cast in shards, and held there: the cast must not be moved behind the gathering.
    shards = jax.lax.with_sharding_constraint(x.astype(dtype), sharded)
    return jax.lax.with_sharding_constraint(shards, whole)


def _gather_forward(
    x: Array, whole: NamedSharding, sharded: NamedSharding, dtype: str
) -> tuple[Array, tuple[Array, ...]]:
    return _gather(x, whole, sharded, dtype), (jax.numpy.zeros((0,), x.dtype),)


def _gather_backward(
    whole: NamedSharding, sharded: NamedSharding, dtype: str, stored: tuple[Array, ...], gradient: Array
) -> tuple[Array]:
    return (jax.lax.with_sharding_constraint(gradient.astype(stored[0].dtype), sharded),)


_gather.defvjp(_gather_forward, _gather_backward)


def _without(entry: Any, dropped: tuple[str, ...]) -> Any:
    axes = (entry,) if isinstance(entry, str) else entry or ()
    kept = tuple(axis for axis in axes if axis not in dropped)
    return kept if len(kept) > 1 else (kept[0] if kept else None)


def _axes(variable: Any, rank: int) -> tuple[str | None, ...]:
    axes = variable.get_metadata().get("axes") or (None,) * rank
    return axes[1:] if len(axes) == rank + 1 and axes[0] == "layers" else axes


def _decide(variable: Any, shape: tuple[int, ...], sizes: Mapping[str, int], rules: ShardingRules) -> Decision:
    return decide(shape, _axes(variable, len(shape)), sizes, rules, parameter=True)
