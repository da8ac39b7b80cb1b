"""Runs both sides layer by layer: the PyTorch libraries on the source's tensors, ours on the converted parameters.

Every layer of ours is given what the library's layer was given, so that an error stays in the row where it arose. One
layer of each side is in memory at a time; float32 throughout.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from aim_jax.models.converted import step_folder
from aim_jax.weights.export import StoredParams
from aim_jax.weights.layouts import abstract_network, find_layout
from aim_jax.weights.library import installed
from aim_jax.weights.params import shapes
from aim_jax.weights.plan import Plan
from aim_jax.weights.rules import Assignment, Permute, assign

TOLERANCE = 1e-4
"""Largest accepted error relative to the largest output, float32."""


@dataclass(frozen=True)
class OutputRow:
    """One compared output.

    Attributes:
        name: of the layer.
        max_abs: largest absolute difference.
        max_rel: the same relative to the largest magnitude of the library's output.
        ok: whether that is within `TOLERANCE`.
    """

    name: str
    max_abs: float
    max_rel: float
    ok: bool


def compare(name: str, theirs: Any, ours: Any) -> OutputRow:
    """The row of one output."""
    theirs, ours = np.asarray(theirs, np.float64), np.asarray(ours, np.float64)
    difference, scale = float(np.abs(theirs - ours).max()), float(np.abs(theirs).max())
    relative = difference / scale if scale else difference
    return OutputRow(name, difference, relative, bool(relative <= TOLERANCE))


def compare_forward(plan: Plan, converted: Path) -> Iterator[OutputRow]:
    """One row per layer; none where the PyTorch libraries are not installed.

    Args:
        plan: of the conversion; its source's tensors are read.
        converted: folder of the converted network.
    """
    from aim_jax.weights import forward_dit, forward_umt5, forward_vae

    run = {"dit": forward_dit.rows, "vae": forward_vae.rows, "text_encoder": forward_umt5.rows}
    if not installed():
        return
    yield from run[plan.source.layout.component](plan, Layers(plan, StoredParams(step_folder(converted) / "params")))


@dataclass(frozen=True)
class Layers:
    """Parameters of both sides, a part at a time, in float32.

    Attributes:
        plan: of the conversion.
        params: the converted parameters.
    """

    plan: Plan
    params: StoredParams

    def torch_state(self, prefix: str) -> dict[str, Any]:
        """Tensors of the source under the library's names that begin with `prefix`, which is cut off."""
        import torch

        names = {(item.target, item.layer): item.source for item in self.plan.assignments}
        return {
            item.source.removeprefix(prefix): torch.from_numpy(
                self.plan.source.tensors[names[item.target, item.layer]].read().astype(np.float32).reshape(item.shape)
            )
            for item in self._library_names
            if item.source.startswith(prefix)
        }

    @functools.cached_property
    def _library_names(self) -> list[Assignment]:
        component, config = self.plan.source.layout.component, self.plan.source.config
        return assign(find_layout(component, "diffusers").rules(config), shapes(abstract_network(component, config)))

    def fill(self, module: nnx.Module, prefix: str, layer: int | None = None) -> Any:
        """An abstract module with the converted parameters under `prefix`, of one layer where they are stacked."""
        graph, state = nnx.split(module, nnx.Param)
        filled = [(path, value.replace(self._read(prefix, path, layer))) for path, value in nnx.to_flat_state(state)]
        return nnx.merge(graph, nnx.from_flat_state(filled))

    def _read(self, prefix: str, path: tuple[Any, ...], layer: int | None) -> jax.Array:
        item = Assignment("", prefix + "/".join(map(str, path)), layer, (), Permute())
        return jnp.asarray(self.params.read(item).astype(np.float32))


def recording_layers(shared: Any, load: Any, count: int, record: list[tuple[np.ndarray, np.ndarray]]) -> Any:
    """A list of `count` torch layers that share one layer's memory and record what went in and out.

    Args:
        shared: the layer.
        load: `load(i)` gives the state dict of layer i.
        count: layers.
        record: is appended (input, output) by each layer as it runs.
    """
    import torch

    class Layer(torch.nn.Module):
        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

        def forward(self, hidden: Any, *args: Any, **kwargs: Any) -> Any:
            shared.load_state_dict(load(self.index))
            out = shared(hidden, *args, **kwargs)
            record.append((hidden.numpy(), out.numpy()))
            return out

    return torch.nn.ModuleList(Layer(i) for i in range(count))
