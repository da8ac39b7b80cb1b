"""AIM as a policy for a batch of episodes: canvases in, chunks of joint actions out.

All state is a pytree of static shape and every function is compiled once per batch size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import NamedSharding, PartitionSpec

from aim_jax.array_typing import AnyArray, Array, Float, Float32, Key, NDArray, PyTree, UInt8
from aim_jax.core.flow import sigma_schedule
from aim_jax.data.canvas import to_unit
from aim_jax.data.latent_norm import LatentNorm
from aim_jax.data.statistics import Statistics, denormalise, normalise
from aim_jax.errors import AimError
from aim_jax.models.aim.blocks import KeyValue, text_keys
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.model import AIM
from aim_jax.models.placement import placing
from aim_jax.models.text import TextEncoder
from aim_jax.models.vae.vae import WanVAE
from aim_jax.parallel.shardings import MeshPlacement
from aim_jax.policy.config import RolloutConfig
from aim_jax.policy.exploration import Chain, Exploration, Scene
from aim_jax.policy.memory import Memory, empty_memory
from aim_jax.policy.passes import Guide, World, act, imagine, remember


class Situation(NamedTuple):
    """What the policy knows of each episode of a batch.

    Attributes:
        memory: keys and values of observations and actions.
        vae: the encoder's convolution caches.
        text_kv: keys and values of the instruction.
        latent: normalised RGB latents of what was observed last [b, f, h, w, c].
        empty: the same history and the keys of the text under the empty instruction; None without guidance.
    """

    memory: Memory
    vae: Any
    text_kv: KeyValue
    latent: Array
    empty: tuple[Memory, KeyValue] | None = None


class Noise(NamedTuple):
    """Standard normal starting points of a chunk: RGB and value latents [b, K, h, w, c], actions [b, K, a, d]."""

    rgb: Array
    value: Array
    action: Array


class Plan(NamedTuple):
    """A planned chunk.

    Attributes:
        actions: joint targets in physical units, float32 [b, steps, 14].
        world: the imagined chunk.
        chain: how the actions were sampled; None without exploration.
        normalised: the same actions as the model knows them [b, K, a, d].
    """

    actions: Float32[NDArray, "b n 14"]
    world: World
    chain: Chain | None
    normalised: Array


class AgentSettings(NamedTuple):
    """What a policy needs besides parameters.

    Attributes:
        model: sizes and switches.
        rollout: how a chunk is denoised.
        statistics: of actions and states.
        norm: of the latents.
    """

    model: AIMConfig
    rollout: RolloutConfig
    statistics: Statistics
    norm: LatentNorm


class Agent:
    """The compiled policy.

    Args:
        settings: of the checkpoint that the parameters come from.
        params: AIM parameters.
        vae: the VAE that the checkpoint was trained with.
        text: the text encoder.
        placement: where activations lie on the mesh that the parameters are spread over; None for one device.
    """

    def __init__(
        self,
        settings: AgentSettings,
        params: nnx.State,
        vae: WanVAE,
        text: TextEncoder,
        placement: MeshPlacement | None = None,
    ) -> None:
        self.settings, self.params, self.placement = settings, params, placement
        self.config, rollout = settings.model, settings.rollout
        self._text = text
        self.vae_graph, self.vae_params = nnx.split(vae)
        if placement is not None:
            self.vae_params = jax.device_put(self.vae_params, NamedSharding(placement.mesh, PartitionSpec()))
        self.graph = nnx.graphdef(nnx.eval_shape(lambda: AIM(settings.model, nnx.Rngs(0))))
        self.world_sigmas = jnp.asarray(
            sigma_schedule(rollout.world_steps, rollout.video_shift, rollout.stop_sigma), jnp.float32
        )
        self.action_sigmas = jnp.asarray(sigma_schedule(rollout.action_steps, rollout.action_shift), jnp.float32)
        self.horizon = rollout.horizon(settings.model)
        self._empty_text = self.embed_text([""]) if rollout.guidance != 1 else None
        self._begin = jax.jit(self.begin_pure)
        self._observe = jax.jit(self.observe_pure, donate_argnums=2)
        self._assume = jax.jit(self._assume_pure)
        self._plan = jax.jit(self._plan_pure)
        self._explore = jax.jit(self._explore_pure, static_argnums=(3, 5))
        self._decode_map = jax.jit(self.decode_map_pure)
        self._decode_rgb = jax.jit(lambda params, latents: nnx.merge(self.vae_graph, params).decode(latents))

    def embed_text(self, instructions: Sequence[str]) -> Float32[NDArray, "b t e"]:
        """Embeddings of instructions, zero-padded."""
        return self._text.embed(list(instructions)).values

    def begin(
        self,
        canvases: UInt8[NDArray, "b h w 3"],
        instructions: Sequence[str],
        states: Float[NDArray, "b 14"] | None = None,
    ) -> Situation:
        """Starts episodes from their first observation and instruction.

        Args:
            canvases: first observations.
            instructions: what is asked for.
            states: drive targets at that moment, as actions; read by models with `start_actions`.

        Raises:
            AimError: the model needs the states.
        """
        before = self.standing(states, len(canvases))
        return self._begin(self.params, self.vae_params, to_unit(canvases), self.embed_text(instructions), before)

    def standing(self, states: Float[NDArray, "b 14"] | None, batch: int) -> Float32[NDArray, "b one a d"]:
        """Normalised actions that hold a posture for a latent frame; zeros where the model does not read them."""
        config = self.config
        if not config.start_actions:
            return np.zeros((batch, 1, config.actions_per_latent, config.action_dim), np.float32)
        if states is None:
            raise AimError(
                "This policy must know in which posture the robot starts",
                wanted=f"the drive targets, {config.action_dim} numbers in the order of an action",
                remedy="give the state with the first observation",
            )
        held = normalise(np.asarray(states, np.float32), self.settings.statistics.action).astype(np.float32)
        return np.repeat(held[:, None, None], config.actions_per_latent, axis=2)

    def observe(
        self, situation: Situation, canvases: UInt8[NDArray, "b t h w 3"], executed: Float[NDArray, "b n 14"]
    ) -> Situation:
        """Appends what happened since the last plan: `horizon` executed actions and every fourth frame of them."""
        actions = normalise(executed, self.settings.statistics.action)
        shape = (len(executed), -1, self.config.actions_per_latent, self.config.action_dim)
        return self._observe(self.params, self.vae_params, situation, to_unit(canvases), actions.reshape(shape))

    def plan(self, situation: Situation, key: Key[Array, ""]) -> Plan:
        """Imagines the next chunk and decodes actions from its map."""
        world, actions = self._plan(self.params, situation, key)
        return self._finish(world, actions, None)

    def assume(self, situation: Situation, plan: Plan) -> Situation:
        """The situation after `plan` if the world goes as imagined, to plan on while the actions are executed.

        Appends the imagined frames and the committed actions. `situation` stays valid: the real observations are
        appended to it later and replace the imagined ones.

        Raises:
            AimError: the world is left partially denoised, so that its frames are no observations.
        """
        if self.settings.rollout.stop_sigma > 0:
            raise AimError(
                "Imagined frames that are still noisy cannot stand for observations",
                wanted="rollout.stop_sigma 0 to plan ahead of the observations",
                got=self.settings.rollout.stop_sigma,
                remedy="denoise the world to the end, or plan in the mode `sync`",
            )
        return self._assume(self.params, situation, plan.world.rgb, plan.normalised)

    def explore(
        self,
        situation: Situation,
        key: Key[Array, ""],
        exploration: Exploration,
        learned: PyTree | None = None,
        group: int = 1,
    ) -> Plan:
        """As `plan`, with exploration in the actions, for Stage II.

        Args:
            situation: of the episodes.
            key: of all noise.
            exploration: how.
            learned: its parameters, see `Exploration.begin`.
            group: so many episodes in a row start from the same noise, and differ by the exploration alone; divides
                the batch.

        Raises:
            AimError: chunks are not executed whole, which the replay of Stage II expects.
        """
        if self.horizon != self.config.actions_per_chunk:
            raise AimError("Stage II executes whole chunks", wanted="rollout.replan 0", got=self.horizon)
        world, chain = self._explore(self.params, situation, key, exploration, learned, group)
        return self._finish(world, chain.actions, chain)

    def decode_map(self, world: World) -> Float32[NDArray, "b t h w"]:
        """The imagined value map of each frame of the chunk, in [0, 1], on the canvas."""
        return np.asarray(self._decode_map(self.vae_params, world.value))

    def decode_rgb(self, latents: Float[AnyArray, "b f h w c"]) -> Float32[NDArray, "b t h w 3"]:
        """Frames in [-1, 1] of normalised RGB latents; the first is decoded as the first of a clip."""
        return np.asarray(self._decode_rgb(self.vae_params, jnp.asarray(self.settings.norm.rgb_inverse(latents))))

    def _finish(self, world: World, actions: Array, chain: Chain | None) -> Plan:
        flat = np.asarray(actions).reshape(actions.shape[0], -1, self.config.action_dim)
        physical = denormalise(flat, self.settings.statistics.action)
        return Plan(np.asarray(physical, np.float32), world, chain, actions)

    def begin_pure(self, params, vae_params, canvases: Float[Array, "b h w 3"], text, before) -> Situation:
        """`begin` on canvases in [-1, 1], embedded texts and `standing` actions, to be compiled."""
        with placing(self.placement):
            model, vae = nnx.merge(self.graph, params), nnx.merge(self.vae_graph, vae_params)
            return self._begun(model, vae, canvases, text, before if self.config.start_actions else None)

    def _begun(self, model: AIM, vae: WanVAE, canvases: Array, text: Array, before: Array | None) -> Situation:
        raw, cache = vae.encode_first(canvases[:, None])
        latent = jnp.asarray(self.settings.norm.rgb(raw))
        batch = canvases.shape[0]

        def started(text_kv: KeyValue) -> Memory:
            return remember(model, empty_memory(self.config, batch), text_kv, latent, before)

        text_kv, empty = text_keys(model, text), None
        if self._empty_text is not None:
            empty_kv = text_keys(model, jnp.repeat(jnp.asarray(self._empty_text), batch, axis=0))
            empty = started(empty_kv), empty_kv
        return Situation(started(text_kv), cache, text_kv, latent, empty)

    def observe_pure(self, params, vae_params, situation: Situation, canvases, actions) -> Situation:
        """`observe` on canvases in [-1, 1] and normalised actions [b, f, a, d], to be compiled."""
        model, vae = nnx.merge(self.graph, params), nnx.merge(self.vae_graph, vae_params)
        with placing(self.placement):
            raw, cache = vae.encode_next(canvases, situation.vae)
            return self._appended(model, situation, cache, jnp.asarray(self.settings.norm.rgb(raw)), actions)

    def _assume_pure(self, params, situation: Situation, rgb, actions) -> Situation:
        frames = self.horizon // self.config.actions_per_latent
        with placing(self.placement):
            model = nnx.merge(self.graph, params)
            return self._appended(model, situation, situation.vae, rgb[:, :frames], actions[:, :frames])

    def _appended(self, model: AIM, situation: Situation, cache: Any, latent: Array, actions: Array) -> Situation:
        memory = remember(model, situation.memory, situation.text_kv, latent, actions)
        empty = situation.empty
        if empty is not None:
            empty = remember(model, empty[0], empty[1], latent, actions), empty[1]
        return Situation(memory, cache, situation.text_kv, latent, empty)

    def _imagine(self, model, situation: Situation, rgb: Array, value: Array) -> World:
        scale = self.settings.rollout.guidance
        guide = None if situation.empty is None else Guide(*situation.empty, scale)
        null = jnp.asarray(self.settings.norm.null)
        return imagine(model, situation.memory, situation.text_kv, null, (rgb, value), self.world_sigmas, guide)

    def draw(self, world_key: Key[Array, ""], action_key: Key[Array, ""], batch: int) -> Noise:
        """The noise of a chunk for `batch` episodes."""
        c = self.config
        shape = (batch, c.latents_per_chunk, *c.latent_hw, c.dit.in_channels)
        rgb, value = (jax.random.normal(k, shape) for k in jax.random.split(world_key))
        action = (batch, c.latents_per_chunk, c.actions_per_latent, c.action_dim)
        return Noise(rgb, value, jax.random.normal(action_key, action))

    def plan_pure(self, params, situation: Situation, noise: Noise) -> tuple[World, Array]:
        """World and normalised actions of the next chunk from given noise, to be compiled."""
        with placing(self.placement):
            model = nnx.merge(self.graph, params)
            world = self._imagine(model, situation, noise.rgb, noise.value)
            return world, act(model, situation.memory, world.map_kv, noise.action, self.action_sigmas)

    def _plan_pure(self, params, situation: Situation, key) -> tuple[World, Array]:
        world_key, action_key = jax.random.split(key)
        return self.plan_pure(params, situation, self.draw(world_key, action_key, situation.latent.shape[0]))

    def _explore_pure(self, params, situation: Situation, key, exploration: Exploration, learned, group: int):
        world_key, action_key, explore_key = jax.random.split(key, 3)
        drawn = self.draw(world_key, action_key, situation.latent.shape[0] // group)
        start = jax.tree.map(lambda noise: jnp.repeat(noise, group, axis=0), drawn)
        with placing(self.placement):
            model = nnx.merge(self.graph, params)
            world = self._imagine(model, situation, start.rgb, start.value)
            scene = Scene(model, situation.memory, world.map_kv, self.action_sigmas)
            return world, exploration.act(learned, scene, start.action, explore_key)

    def decode_map_pure(self, vae_params, value: Float[Array, "b k h w c"]) -> Float32[Array, "b t H W"]:
        vae = nnx.merge(self.vae_graph, vae_params)
        norm = self.settings.norm
        null = jnp.broadcast_to(jnp.asarray(norm.null), (value.shape[0], 1, *value.shape[2:]))
        video = vae.decode(jnp.asarray(norm.value_inverse(jnp.concatenate([null, value], axis=1))))
        return jnp.clip((video[:, 1:].mean(-1) + 1) / 2, 0, 1)
