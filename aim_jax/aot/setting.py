"""What a stage is compiled for, and shapes of its inputs on the mesh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from aim_jax.array_typing import PyTree
from aim_jax.config import ExperimentConfig
from aim_jax.errors import AimError
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.model import AIM
from aim_jax.models.placement import placing
from aim_jax.parallel.mesh import check_fit
from aim_jax.parallel.rules import ShardingRules, decide
from aim_jax.parallel.shardings import MeshPlacement, batch_sharding


class Setting(NamedTuple):
    """What a stage is compiled for.

    Attributes:
        experiment: sizes, optimiser, remat.
        mesh: devices of the topology.
        batch: samples of a step, all chips together.
        frames: latent frames of a window, the first included.
    """

    experiment: ExperimentConfig
    mesh: Mesh
    batch: int
    frames: int

    @property
    def rules(self) -> ShardingRules:
        """The table of shardings."""
        return self.experiment.parallel.rules

    def samples(self, *shape: int, dtype: Any = jnp.float32) -> Any:
        """Stands in for an array with one row for each sample."""
        return jax.ShapeDtypeStruct((self.batch, *shape), dtype, sharding=batch_sharding(self.mesh, self.rules))

    def whole(self, *shape: int, dtype: Any = jnp.float32) -> Any:
        """Stands in for an array that every chip holds."""
        return jax.ShapeDtypeStruct(shape, dtype, sharding=NamedSharding(self.mesh, PartitionSpec()))

    def lying(self, shape: tuple[int, ...], *axes: str | None, dtype: Any) -> Any:
        """Stands in for an array with these logical axes."""
        spec = decide(shape, axes, self.mesh.shape, self.rules).spec
        return jax.ShapeDtypeStruct(shape, dtype, sharding=NamedSharding(self.mesh, spec))

    def placed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, traced with the mesh's placement of activations and weights."""
        placement = MeshPlacement(self.mesh, self.rules)

        def on_mesh(*args: Any) -> Any:
            with placing(placement):
                return function(*args)

        return on_mesh

    def check_batch(self) -> None:
        """Refuses a batch or heads that do not divide over the mesh."""
        check_fit(dict(self.mesh.shape), heads=self.experiment.model.dit.num_heads, batch=self.batch)

    def chunks(self) -> int:
        """Chunks of the window.

        Raises:
            AimError: the frames are no whole chunks, or batch and heads do not divide over the mesh.
        """
        k = self.experiment.model.latents_per_chunk
        if self.frames <= k or (self.frames - 1) % k:
            raise AimError(
                "This number of latent frames is no training window",
                wanted=f"1 + {k} times the chunks: {', '.join(str(1 + k * c) for c in (1, 2, 4, 8, 16))}, …",
                got=self.frames,
                remedy="change --frames",
            )
        self.check_batch()
        return (self.frames - 1) // k


def parameters(model: AIMConfig) -> tuple[Any, nnx.State]:
    """Graph and shapes of AIM's parameters."""
    return nnx.split(nnx.eval_shape(lambda: AIM(model, nnx.Rngs(0))))


def cast(tree: PyTree, dtype: str) -> PyTree:
    """The same shapes in another dtype."""
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, jnp.dtype(dtype)), tree)
