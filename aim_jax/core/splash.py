"""Block-sparse attention on the TPU: JAX's splash kernel under the mask that the visibility table gives.

The mask is known when the program is compiled: tiles without a visible pair are not in the kernel's grid, tiles that
are wholly visible are not masked, and the few patterns of the rest are constants of the program. Nothing of it is
passed in or sharded at run time.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, PartitionSpec

from aim_jax.array_typing import Array, Float
from aim_jax.core.attention import ATTENDED
from aim_jax.core.splash_plan import LANES, Run, SplashPlan
from aim_jax.errors import AimError


def attend_splash(
    q: Float[Array, "b lq heads dim"],
    k: Float[Array, "b lk heads dim"],
    v: Float[Array, "b lk heads dim"],
    plan: SplashPlan,
    *,
    mesh: Mesh | None = None,
    spec: PartitionSpec | None = None,
    interpret: bool = False,
) -> Float[Array, "b lq heads dim"]:
    """Equal to `attend` under the dense mask of the plan.

    Args:
        q: queries.
        k: keys.
        v: values.
        plan: padding, tiles and mask.
        mesh: the devices, where the arrays are sharded; each device runs the kernel on its samples and heads.
        spec: mesh axes of the samples (first entry) and the heads (third); tokens and channels stay whole.
        interpret: run the kernel's program on the host, slowly, to test it.

    Raises:
        AimError: the arrays do not fit the plan, the mesh or the hardware.
    """
    batch, _, heads, _ = (*(spec or ()), None, None, None, None)[:4]
    _check(q, k, plan, mesh, batch, heads, interpret)
    kernel = _kernel(plan, q.shape[2] // _parts(mesh, heads), interpret)
    # The kernel wants heads before tokens. Queries are scaled here because it does not scale.
    args = [
        _padded(x, runs, length).transpose(0, 2, 1, 3)
        for x, runs, length in (
            (q * q.shape[-1] ** -0.5, plan.queries, plan.padded[0]),
            (k, plan.keys, plan.padded[1]),
            (v, plan.keys, plan.padded[1]),
        )
    ]

    def local(kernel: Any, q: Array, k: Array, v: Array) -> Array:
        return jax.vmap(kernel)(q, k, v)

    if mesh is not None:
        lying = PartitionSpec(batch, heads)
        in_specs = (PartitionSpec(), lying, lying, lying)
        local = jax.shard_map(local, mesh=mesh, in_specs=in_specs, out_specs=lying, check_vma=False)
    return _unpadded(local(kernel, *args).transpose(0, 2, 1, 3), plan.queries)


@functools.lru_cache(maxsize=32)
def _kernel(plan: SplashPlan, heads: int, interpret: bool) -> Any:
    from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel as kernel
    from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask as masks

    class TableMask(masks.Mask):
        """The padded mask of the plan, cut out tile by tile."""

        @property
        def shape(self) -> tuple[int, int]:
            return plan.padded

        def __getitem__(self, index: Any):
            return plan.mask(*index)

    bq, bk = plan.tile
    sizes = kernel.BlockSizes(block_q=bq, block_kv=bk, block_q_dkv=bq, block_kv_dkv=bk, block_q_dq=bq, block_kv_dq=bk)
    with jax.ensure_compile_time_eval():
        return kernel.make_splash_mha(
            masks.MultiHeadMask([TableMask()] * heads),
            block_sizes=sizes,
            head_shards=1,
            q_seq_shards=1,
            residual_checkpoint_name=ATTENDED,
            interpret=interpret,
        )


def _padded(x: Float[Array, "b l h d"], runs: tuple[Run, ...], length: int) -> Float[Array, "b m h d"]:
    if _ends_short(runs):
        return jnp.pad(x, ((0, 0), (0, length - x.shape[1]), (0, 0), (0, 0)))
    pieces, offset = [], 0
    for run in runs:
        size = run.count * run.arrives
        part = x[:, offset : offset + size].reshape(x.shape[0], run.count, run.arrives, *x.shape[2:])
        part = jnp.pad(part, ((0, 0), (0, 0), (0, run.padded - run.arrives), (0, 0), (0, 0)))
        pieces.append(part.reshape(x.shape[0], -1, *x.shape[2:]))
        offset += size
    joined = jnp.concatenate(pieces, axis=1)
    return jnp.pad(joined, ((0, 0), (0, length - joined.shape[1]), (0, 0), (0, 0)))


def _unpadded(x: Float[Array, "b m h d"], runs: tuple[Run, ...]) -> Float[Array, "b l h d"]:
    if _ends_short(runs):
        return x[:, : sum(run.count * run.arrives for run in runs)]
    pieces, offset = [], 0
    for run in runs:
        size = run.count * run.padded
        part = x[:, offset : offset + size].reshape(x.shape[0], run.count, run.padded, *x.shape[2:])
        pieces.append(part[:, :, : run.arrives].reshape(x.shape[0], -1, *x.shape[2:]))
        offset += size
    return jnp.concatenate(pieces, axis=1)


def _ends_short(runs: tuple[Run, ...]) -> bool:
    """Whether nothing is missing but padding at the very end."""
    return runs[-1].count == 1 and all(run.arrives == run.padded for run in runs[:-1])


def _parts(mesh: Mesh | None, axes: Any) -> int:
    names = (axes,) if isinstance(axes, str) else axes or ()
    return 1 if mesh is None else math.prod(mesh.shape[name] for name in names)


def _check(q: Array, k: Array, plan: SplashPlan, mesh: Mesh | None, batch: Any, heads: Any, interpret: bool) -> None:
    if (q.shape[1], k.shape[1]) != plan.tokens:
        raise AimError(
            "The sequence is not the one the attention was planned for",
            wanted=f"{plan.tokens[0]} queries and {plan.tokens[1]} keys",
            got=f"{q.shape[1]} and {k.shape[1]}",
        )
    platform = jax.default_backend() if mesh is None else mesh.devices.flat[0].platform
    if not interpret and (platform != "tpu" or q.shape[-1] % LANES):
        raise AimError(
            "Splash attention does not run here",
            wanted=f"a TPU, and heads as wide as a multiple of {LANES}",
            got=f"platform {platform}, head width {q.shape[-1]}",
            remedy="set model.attention to grouped",
        )
    samples, shares = _parts(mesh, batch), _parts(mesh, heads)
    if q.shape[0] % samples or q.shape[2] % shares:
        raise AimError(
            "Samples or heads do not divide over the mesh",
            wanted=f"multiples of {samples} samples and {shares} heads",
            got=f"{q.shape[0]} samples, {q.shape[2]} heads",
            remedy="change the batch, or the data, fsdp and tensor axes",
        )
