"""Which parameters are trained: those whose path begins with none of the frozen prefixes."""

from __future__ import annotations

from typing import Any

import jax
from flax import nnx

from aim_jax.array_typing import PyTree
from aim_jax.errors import AimError


def partition(params: PyTree, frozen: tuple[str, ...]) -> tuple[PyTree, PyTree]:
    """Parameters that are trained, and the others. Frozen ones get no gradient, no moments and no average.

    Args:
        params: an NNX state.
        frozen: prefixes of paths, parts joined by `/`: "wan", "value/self_attn".

    Raises:
        AimError: a prefix fits no parameter, or nothing is left to train.
    """
    if not frozen:
        return params, nnx.State({})
    flat = nnx.to_flat_state(params)
    paths = ["/".join(map(str, path)) for path, _ in flat]
    unused = [prefix for prefix in frozen if not any(_within(path, prefix) for path in paths)]
    trained = [item for item, path in zip(flat, paths, strict=True) if not any(_within(path, p) for p in frozen)]
    rest = [item for item, path in zip(flat, paths, strict=True) if any(_within(path, p) for p in frozen)]
    if unused or not trained:
        raise AimError(
            "train.frozen names no branch of the model" if unused else "train.frozen leaves nothing to train",
            wanted=f"prefixes of paths such as {', '.join(sorted({path.split('/')[0] for path in paths}))}",
            got=", ".join(unused or frozen),
            remedy="`aim inspect model` lists the parts",
        )
    return nnx.from_flat_state(trained), nnx.from_flat_state(rest)


def join(trained: PyTree, rest: PyTree) -> PyTree:
    """The inverse of `partition`."""
    return nnx.merge_state(trained, rest) if jax.tree.leaves(rest) else trained


def _within(path: str, prefix: str) -> Any:
    return path == prefix or path.startswith(f"{prefix}/")
