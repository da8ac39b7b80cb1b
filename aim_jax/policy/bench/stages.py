"""The stages of a chunk as functions of their own, with the operations that each needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from aim_jax.core.blocks import Block, Kind, Layout
from aim_jax.core.mask import block_mask
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.flops import pass_flops
from aim_jax.policy.agent import Agent, Situation
from aim_jax.policy.passes import map_keys, null_keys, predict_action, remember, world_branch, world_velocity


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: what it is called.
        calls: how often a chunk needs it.
        function: of the arguments.
        args: arrays.
        flops: matmul operations of one call over the batch by the project's definition; None where XLA counts them.
    """

    name: str
    calls: int
    function: Callable[..., Any]
    args: tuple[Any, ...]
    flops: int | None


def stages(agent: Agent, situation: Situation, canvas_hw: tuple[int, int], text_tokens: int) -> list[Stage]:
    """Every compiled stage of a chunk, for the batch of `situation`.

    Args:
        agent: the policy.
        situation: with a full window of history.
        canvas_hw: height and width of a canvas.
        text_tokens: of an instruction, padding included.
    """
    c, batch, rollout = agent.config, situation.latent.shape[0], agent.settings.rollout
    graph, vae_graph = agent.graph, agent.vae_graph
    noise = jax.jit(agent.draw, static_argnums=2)(jax.random.key(0), jax.random.key(1), batch)
    null = jnp.asarray(agent.settings.norm.null)
    count = agent.horizon // c.actions_per_latent
    first = jnp.zeros((batch, 1, *canvas_hw, 3))
    clip = jnp.zeros((batch, 4 * count, *canvas_hw, 3))
    sigma = jnp.float32(0.5)

    def branch(params, s: Situation, null_kv):
        model = nnx.merge(graph, params)
        return model, world_branch(model, s.memory, s.text_kv, null_kv)

    def null_stage(params, s: Situation):
        return null_keys(nnx.merge(graph, params), s.memory, s.text_kv, null)

    def world_step(params, s: Situation, null_kv, x, m):
        model, known = branch(params, s, null_kv)
        return world_velocity(model, known, (x, m), sigma)

    def value_write(params, s: Situation, null_kv, x, m):
        model, known = branch(params, s, null_kv)
        return map_keys(model, known, (x, m), agent.world_sigmas[-1])

    def action_step(params, s: Situation, map_kv, a):
        return predict_action(nnx.merge(graph, params), s.memory, map_kv, a, sigma).velocity

    def append(params, s: Situation, latent, actions):
        return remember(nnx.merge(graph, params), s.memory, s.text_kv, latent, actions)

    # Compiled under other names, so that the stages' own compilation is still to come.
    null_kv = jax.jit(lambda *args: null_stage(*args))(agent.params, situation)
    map_kv = jax.jit(lambda *args: value_write(*args))(agent.params, situation, null_kv, noise.rgb, noise.value)
    vae, params = agent.vae_params, agent.params
    guided = 2 if rollout.guidance != 1 else 1
    cost = _Costs(c, batch, text_tokens)
    return [
        Stage("VAE encode, first frame", 0, lambda p, x: nnx.merge(vae_graph, p).encode_first(x), (vae, first), None),
        Stage(
            "VAE encode, chunk",
            1,
            lambda p, x, cache: nnx.merge(vae_graph, p).encode_next(x, cache),
            (vae, clip, situation.vae),
            None,
        ),
        Stage(
            "append to memory",
            guided,
            append,
            (params, situation, noise.rgb[:, :count], noise.action[:, :count]),
            cost.of({Kind.OBS: count, Kind.PAST_ACTION: count}, {}),
        ),
        Stage("black map", guided, null_stage, (params, situation), cost.of({Kind.NULL: 1}, {})),
        Stage(
            "world step",
            guided * rollout.world_steps,
            world_step,
            (params, situation, null_kv, noise.rgb, noise.value),
            cost.of({Kind.RGB: c.latents_per_chunk, Kind.VALUE: c.latents_per_chunk}, {"rgb", "value"}),
        ),
        Stage(
            "value write",
            1,
            value_write,
            (params, situation, null_kv, noise.rgb, noise.value),
            cost.of(_map_pass(c), {}),
        ),
        Stage(
            "action step",
            rollout.action_steps,
            action_step,
            (params, situation, map_kv, noise.action),
            cost.of({Kind.ACTION: c.latents_per_chunk}, {"action"}),
        ),
        Stage("decode map", 0, agent.decode_map_pure, (vae, noise.value), None),
    ]


def filled(agent: Agent, batch: int, canvas_hw: tuple[int, int], frames: int) -> Situation:
    """A situation after `frames` latent frames of black pictures and still actions, its window full of real keys."""
    situation = still_start(agent, batch, canvas_hw)
    count = agent.horizon // agent.config.actions_per_latent
    clip = np.zeros((batch, 4 * count, *canvas_hw, 3), np.uint8)
    still = np.zeros((batch, agent.horizon, agent.config.action_dim), np.float32)
    for _ in range(0, frames, count):
        situation = agent.observe(situation, clip, still)
    return situation


def still_start(agent: Agent, batch: int, canvas_hw: tuple[int, int]) -> Situation:
    """Episodes that begin with a black picture, all joints at zero and an empty instruction."""
    states = np.zeros((batch, agent.config.action_dim), np.float32)
    return agent.begin(np.zeros((batch, *canvas_hw, 3), np.uint8), [""] * batch, states)


class _Costs:
    """Operations of a pass late in an episode, when the window is full."""

    def __init__(self, config: AIMConfig, batch: int, text: int) -> None:
        self._config, self._batch, self._text = config, batch, text

    def of(self, present: dict[Kind, int], noisy: set[str] | dict[str, int]) -> int:
        """A pass in which `present` latent frames of each kind are computed; those of `noisy` streams have heads."""
        c = self._config
        now = 4 * c.visibility.window * c.latents_per_chunk  # any chunk's end, late enough
        past = range(now - c.visibility.window - c.latents_per_chunk, now + 1)
        remembered = [Block(kind, f) for kind in (Kind.OBS, Kind.PAST_ACTION) for f in past]
        computed = [
            Block(kind, now if kind is Kind.NULL else now + 1 + i) for kind, n in present.items() for i in range(n)
        ]
        context = [Block(Kind.NULL, now)] if c.visibility.value_null_frame and Kind.NULL not in present else []
        if Kind.ACTION in present:
            context += [Block(Kind.CLEAN_VALUE, now + 1 + i) for i in range(c.latents_per_chunk)]
        layout = Layout.of([*remembered, *context, *computed], c.tokens, c.clock)
        rows = np.array([block in computed for block in layout.blocks])
        seen, tokens = block_mask(layout, c.visibility)[rows], layout.block_tokens
        pairs = int((seen * tokens[None] * tokens[rows][:, None]).sum())
        streams: dict[str, int] = {}
        for kind, n in present.items():
            name = {Kind.OBS: "rgb", Kind.RGB: "rgb", Kind.ACTION: "action", Kind.PAST_ACTION: "action"}.get(
                kind, "value"
            )
            streams[name] = streams.get(name, 0) + n
        heads = {name: streams[name] for name in noisy}
        return self._batch * pass_flops(c, streams, pairs, noisy=heads, text=self._text, text_kv=False).forward


def _map_pass(config: AIMConfig) -> dict[Kind, int]:
    k = config.latents_per_chunk
    if config.visibility.clean_value_reads == "future":
        return {Kind.RGB: k, Kind.VALUE: k}
    return {Kind.CLEAN_VALUE: k}
