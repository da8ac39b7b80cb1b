"""From logical axes to mesh axes: the one table that every sharding in this project comes from.

Initialisation, restoring, conversion, training, inference and ahead-of-time compilation all ask `decide`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jax.sharding import PartitionSpec

Axes = tuple[str, ...]


@dataclass(frozen=True)
class ShardingRules:
    """Mesh axes of each logical axis, in order of preference. An axis that does not divide a dimension is left out.

    Attributes:
        embed: hidden width, on parameters: fully sharded data parallelism.
        heads: attention width, and heads of activations.
        mlp: feed-forward width.
        vocab: rows of an embedding table.
        layers: stacked layers; a scan reads them one by one, so they stay whole.
        batch: samples.
        frames: latent frames of activations.
        tokens: tokens within a latent frame of activations.
        queries: the joint sequence as queries of attention; keys and values are gathered.
        smallest: parameters with fewer elements (a layer) are kept whole on every device: gathering them costs more
            than they do.
        spill: where a larger parameter goes that no rule above divides: along its largest free dimension.
    """

    embed: Axes = ("fsdp", "context")
    heads: Axes = ("tensor",)
    mlp: Axes = ("tensor",)
    vocab: Axes = ("tensor",)
    layers: Axes = ()
    batch: Axes = ("data", "fsdp")
    frames: Axes = ()
    tokens: Axes = ("context",)
    queries: Axes = ("context",)
    smallest: int = 2**18
    spill: Axes = ("fsdp", "context")

    def of(self, axis: str | None) -> Axes:
        """Mesh axes of a logical axis; none for None."""
        if axis is None:
            return ()
        if axis not in _LOGICAL:
            raise ValueError(f"no sharding rule for the logical axis {axis!r}; rules: {', '.join(_LOGICAL)}")
        return getattr(self, axis)


_LOGICAL = ("embed", "heads", "mlp", "vocab", "layers", "batch", "frames", "tokens", "queries")


class Decision(NamedTuple):
    """Where an array goes.

    Attributes:
        spec: mesh axes of each dimension.
        notes: why a rule was not followed; empty if all were.
    """

    spec: PartitionSpec
    notes: tuple[str, ...]

    def parts(self, sizes: Mapping[str, int]) -> int:
        """Into how many different parts the array is cut."""
        return math.prod(sizes[axis] for axes in self.spec for axis in mesh_axes(axes))


def mesh_axes(entry: str | Sequence[str] | None) -> Axes:
    """The axes of one entry of a PartitionSpec as a tuple."""
    if entry is None:
        return ()
    return (entry,) if isinstance(entry, str) else tuple(entry)


def decide(
    shape: Sequence[int],
    axes: Sequence[str | None],
    sizes: Mapping[str, int],
    rules: ShardingRules,
    *,
    parameter: bool = False,
) -> Decision:
    """Where an array with these logical axes goes.

    Args:
        shape: its shape.
        axes: a logical axis, or None, for each dimension.
        sizes: devices along each mesh axis.
        rules: the table.
        parameter: apply `smallest` and `spill`, which concern parameters only.
    """
    if len(shape) != len(axes):
        raise ValueError(f"{len(axes)} logical axes {tuple(axes)} for the shape {tuple(shape)}")
    elements = math.prod(size for size, name in zip(shape, axes, strict=True) if name != "layers")
    if parameter and elements < rules.smallest:
        return Decision(PartitionSpec(), (f"whole: fewer than {rules.smallest} elements",))
    used: set[str] = set()
    notes: list[str] = []
    entries = [_entry(shape[i], name, rules.of(name), sizes, used, notes) for i, name in enumerate(axes)]
    if parameter:
        _spill(shape, axes, sizes, rules, used, entries, notes)
    return Decision(PartitionSpec(*(_compact(entry) for entry in entries)), tuple(notes))


def _entry(
    size: int, name: str | None, wanted: Axes, sizes: Mapping[str, int], used: set[str], notes: list[str]
) -> list[str]:
    kept: list[str] = []
    for axis in wanted:
        if sizes.get(axis, 1) == 1:
            continue
        parts = math.prod(sizes[a] for a in kept) * sizes[axis]
        if axis in used:
            notes.append(f"{name}: {axis} is taken by another dimension")
        elif size % parts:
            notes.append(f"{name}: {axis} gives {parts} parts, which do not divide {size}")
        else:
            kept.append(axis)
            used.add(axis)
    return kept


def _spill(
    shape: Sequence[int],
    axes: Sequence[str | None],
    sizes: Mapping[str, int],
    rules: ShardingRules,
    used: set[str],
    entries: list[list[str]],
    notes: list[str],
) -> None:
    for axis in rules.spill:
        if axis in used or sizes.get(axis, 1) == 1:
            continue
        fitting = [
            i
            for i, size in enumerate(shape)
            if axes[i] != "layers" and size % (sizes[axis] * math.prod(sizes[a] for a in entries[i])) == 0
        ]
        if fitting:
            best = max(fitting, key=lambda i: shape[i] // math.prod(sizes[a] for a in entries[i]))
            entries[best].append(axis)
            used.add(axis)
            notes.append(f"{axis}: no rule places it, so it cuts dimension {best}")


def _compact(entry: list[str]) -> str | tuple[str, ...] | None:
    if len(entry) > 1:
        return tuple(entry)
    return entry[0] if entry else None
