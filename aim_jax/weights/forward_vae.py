"""The VAE's layers against diffusers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from aim_jax.models.layers import Dense
from aim_jax.models.vae.config import VAEConfig
from aim_jax.models.vae.layers import patchify, unpatchify
from aim_jax.models.vae.streaming import Tape
from aim_jax.weights.forward import Layers, OutputRow, compare
from aim_jax.weights.layouts import abstract_network
from aim_jax.weights.library import build_library
from aim_jax.weights.plan import Plan

_FRAMES, _ROWS, _COLUMNS = 5, 32, 48
Record = dict[str, list[tuple[np.ndarray, np.ndarray]]]
"""By layer: what went in and came out, channels last, piece by piece as diffusers walks through a clip."""


@dataclass(frozen=True)
class _Layer:
    """A part of the network: its name here, and the modules of the library that it is, in the order they run."""

    name: str
    modules: tuple[str, ...]


def rows(plan: Plan, layers: Layers) -> Iterator[OutputRow]:
    """Patches, each layer of encoder and decoder, and the decoded video of a small random clip.

    The library walks through the clip in pieces of one and four frames; ours takes it whole.
    """
    import torch

    config: VAEConfig = plan.source.config
    video = np.random.default_rng(0).uniform(-1, 1, (1, _FRAMES, _ROWS, _COLUMNS, 3)).astype(np.float32)
    with torch.device("meta"):
        oracle = build_library("vae", config)
    parts = _parts(config)
    record = _watch(oracle, parts, layers)
    with torch.no_grad():
        posterior = oracle.encode(torch.from_numpy(video).permute(0, 4, 1, 2, 3)).latent_dist
        decoded = oracle.decode(posterior.mode()).sample.permute(0, 2, 3, 4, 1).numpy()

    network = abstract_network("vae", config)
    given, _ = _joined(record["encoder.conv_in"])
    yield compare("patches", given, patchify(jnp.asarray(video), config.patch_size))
    for part in parts:
        given, theirs = _joined(record[part.name])
        yield compare(part.name, theirs, _run(_part_of(network, part.name), layers, part.name, given))
    _, last = _joined(record["decoder.head"])
    yield compare("video", decoded, jnp.clip(unpatchify(jnp.asarray(last), config.patch_size), -1, 1))


def _parts(config: VAEConfig) -> list[_Layer]:
    stages = range(len(config.dim_mult))
    down = [_Layer(f"encoder.stages.{i}", (f"encoder.down_blocks.{i}",)) for i in stages]
    up = [_Layer(f"decoder.stages.{i}", (f"decoder.up_blocks.{i}",)) for i in stages]

    def ends(half: str) -> tuple[_Layer, _Layer, _Layer]:
        head = _Layer(f"{half}.head", (f"{half}.norm_out", f"{half}.conv_out"))
        return _Layer(f"{half}.conv_in", (f"{half}.conv_in",)), _Layer(f"{half}.middle", (f"{half}.mid_block",)), head

    first, middle, head = ends("encoder")
    out = [first, *down, middle, head, _Layer("quant", ("quant_conv",)), _Layer("post_quant", ("post_quant_conv",))]
    first, middle, head = ends("decoder")
    return [*out, first, middle, *up, head]


def _watch(oracle: Any, parts: list[_Layer], layers: Layers) -> Record:
    """Makes the library's modules load their tensors when they run, let go of them, and leave a record."""
    record: Record = defaultdict(list)
    given: dict[str, np.ndarray] = {}

    def enter(part: _Layer, name: str) -> Any:
        def hook(module: Any, args: tuple[Any, ...]) -> None:
            module.load_state_dict(layers.torch_state(f"{name}."), assign=True)
            if name == part.modules[0]:
                given[part.name] = _channels_last(args[0])

        return hook

    def leave(part: _Layer, name: str) -> Any:
        def hook(module: Any, _: Any, out: Any) -> None:
            module.to("meta")
            if name == part.modules[-1]:
                record[part.name].append((given.pop(part.name), _channels_last(out)))

        return hook

    for part in parts:
        for name in part.modules:
            module = oracle.get_submodule(name)
            module.register_forward_pre_hook(enter(part, name))
            module.register_forward_hook(leave(part, name))
    return record


def _run(module: nnx.Module, layers: Layers, name: str, given: np.ndarray) -> np.ndarray:
    graph, params = nnx.split(layers.fill(module, name.replace(".", "/") + "/"))

    @jax.jit
    def run(params: nnx.State, x: jax.Array) -> jax.Array:
        layer: Any = nnx.merge(graph, params)
        return layer(x) if isinstance(layer, Dense) else layer(x, Tape(None))

    return np.asarray(run(params, jnp.asarray(given)))


def _part_of(network: Any, name: str) -> Any:
    for key in name.split("."):
        network = network[int(key)] if key.isdigit() else getattr(network, key)
    return network


def _joined(pieces: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    given, out = zip(*pieces, strict=True)
    return np.concatenate(given, axis=1), np.concatenate(out, axis=1)


def _channels_last(x: Any) -> np.ndarray:
    return np.moveaxis(x.numpy(), 1, -1).copy()
