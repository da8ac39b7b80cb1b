"""Modelled seconds of the attention kernel, from the tiles that it computes.

A tile of q queries and k keys takes the longer of its matmuls on the matrix unit (4 operations per pair and channel
forward; 6 for the gradient of q, 8 for those of k and v) and its softmax on the vector unit (about 10 operations a
pair forward and 12 backward), plus a step of the grid, about 0.35 µs (Pallas documentation, "Pipelining on TPU").
"""

from __future__ import annotations

from collections.abc import Sequence

from aim_jax.aot.cost import Kernel
from aim_jax.core.splash_plan import SplashPlan
from aim_jax.parallel.chips import Chip

STEP_SECONDS = 0.35e-6
VECTOR_FLOPS = {"v4": 4.3e12, "v5e": 6.1e12, "v5p": 14.3e12, "v6e": 14.3e12, "7x": 28.6e12}
"""Vector operations per second: 8 × 128 lanes × 4 units × clock, times cores."""

_PASSES = {"splash_mha_fwd": (4, 10), "splash_mha_dq": (6, 12), "splash_mha_dkv": (8, 12)}


def kernel_seconds(kernel: Kernel, plans: Sequence[SplashPlan], chip: Chip) -> float:
    """Time of one call on one chip.

    Args:
        kernel: the call; its arrays are [heads, tokens, channels], after a dimension of samples if there are several.
        plans: plans of the program; the call's padded lengths tell which is meant.
        chip: the generation.

    Raises:
        ValueError: the program holds a kernel that this model does not know.
    """
    passes = next((cost for name, cost in _PASSES.items() if kernel.name.startswith(name)), None)
    results = [shape for shape in kernel.results if len(shape) >= 3]
    if passes is None or not results:
        raise ValueError(f"no cost model for the kernel {kernel.name} with results {kernel.results}")
    # The first result is [.., tokens, channels]; patterns of partly visible tiles end in a tile's side instead.
    channels = results[0][-1]
    arrays = [s for s in (*kernel.operands, *kernel.results) if len(s) >= 3 and s[-1] == channels]
    lengths = {shape[-2] for shape in arrays}
    fitting = [p for p in plans if set(p.padded) <= lengths]
    plan = max(fitting, key=lambda p: len(set(p.padded)), default=None)
    if plan is None:
        raise ValueError(f"no plan for the kernel {kernel.name} on lengths {sorted(lengths)}")
    heads = max(_copies(shape) for shape in results if shape[-1] == channels)
    tile = plan.tile[0] * plan.tile[1]
    matrix, vector = passes[0] * channels * tile / chip.flops, passes[1] * tile / VECTOR_FLOPS[chip.name]
    return heads * plan.active_tiles() * (max(matrix, vector) + STEP_SECONDS)


def _copies(shape: tuple[int, ...]) -> int:
    """Samples times heads."""
    count = 1
    for size in shape[:-2]:
        count *= size
    return count
