"""A policy spread over a mesh: parameters by the rules of `parallel`, episodes over batch axes, heads over tensor."""

from __future__ import annotations

import jax
from flax import nnx
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from aim_jax.array_typing import PyTree
from aim_jax.models.text import TextEncoder
from aim_jax.models.vae.vae import WanVAE
from aim_jax.parallel.rules import ShardingRules, decide
from aim_jax.parallel.shardings import MeshPlacement, shardings
from aim_jax.policy.agent import Agent, AgentSettings, Situation
from aim_jax.policy.slots import axes


def sharded_agent(
    settings: AgentSettings, params: nnx.State, vae: WanVAE, text: TextEncoder, mesh: Mesh, rules: ShardingRules
) -> Agent:
    """An agent whose parameters lie on `mesh`; the VAE is whole on every device."""
    placed = jax.device_put(params, shardings(params, mesh, rules))
    agent = Agent(settings, placed, vae, text, MeshPlacement(mesh, rules))
    agent.vae_params = jax.device_put(agent.vae_params, NamedSharding(mesh, PartitionSpec()))
    return agent


def situation_shardings(situation: Situation, mesh: Mesh, rules: ShardingRules) -> PyTree:
    """Where a situation's arrays lie: episodes over the batch axes where they divide, heads of keys over `tensor`.

    Args:
        situation: arrays or shapes.
        mesh: the devices.
        rules: the table.
    """

    def place(leaf: jax.Array, axis: int) -> NamedSharding:
        names: list[str | None] = [None] * leaf.ndim
        names[axis] = "batch"
        if axis == 1:  # keys and values: [layers, b, …, heads, head_dim]
            names[-2] = "heads"
        return NamedSharding(mesh, decide(leaf.shape, names, mesh.shape, rules).spec)

    return jax.tree.map(place, situation, axes(situation))
