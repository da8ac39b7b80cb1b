"""Whether a whole copy of the training state fits one device, and what would."""

from __future__ import annotations

import math

import jax
import numpy as np

from aim_jax.array_typing import PyTree
from aim_jax.errors import AimError

GIB = 2**30


def tree_bytes(tree: PyTree) -> int:
    """Bytes of all leaves, arrays or shapes."""
    return sum(math.prod(x.shape) * np.dtype(x.dtype).itemsize for x in jax.tree.leaves(tree) if hasattr(x, "shape"))


def require_replica_fits(state: PyTree, hbm: float | None, devices: int) -> None:
    """Refuses `pmap` for a state that one device cannot hold together with its gradients.

    A lower bound: activations come on top. What a compiled step really needs, `aim compile` says.

    Args:
        state: shapes of parameters (`state.params`), moments and averages.
        hbm: bytes of a device; None where it is not known, then nothing is refused.
        devices: how many there are.

    Raises:
        AimError: with the numbers and the sharded alternative.
    """
    held, gradients = tree_bytes(state), tree_bytes(getattr(state, "opt_state", state)) // 2
    needed = held + gradients
    if hbm is None or needed <= hbm:
        return
    chips = next((n for n in range(1, devices + 1) if devices % n == 0 and needed / n <= 0.6 * hbm), 0)
    least = math.ceil(needed / (0.6 * hbm))
    raise AimError(
        "pmap keeps the whole state on every chip, and a chip cannot hold it",
        wanted=f"at most {hbm / GIB:.2f} GiB",
        got=f"{held / GIB:.2f} GiB of parameters, moments and averages, and {gradients / GIB:.2f} GiB of gradients",
        remedy=(
            f"set parallel.mode pjit and parallel.mesh.fsdp {chips}: {needed / max(chips, 1) / GIB:.2f} GiB a chip"
            if chips
            else f"set parallel.mode pjit and parallel.mesh.fsdp to at least {least}; there are {devices} chips here"
        ),
    )
