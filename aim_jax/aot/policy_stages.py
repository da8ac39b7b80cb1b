"""The programs of Stage II, of a rollout and of the VAE, as shapes with shardings."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from aim_jax.aot.compiler import Program
from aim_jax.aot.count import counted_flops
from aim_jax.aot.setting import Setting, parameters
from aim_jax.array_typing import Array, PyTree
from aim_jax.core.blocks import STREAMS
from aim_jax.core.flow import sigma_schedule
from aim_jax.core.splash_plan import SplashPlan, full_plan, window_plan
from aim_jax.core.transition import Transition
from aim_jax.models.aim.blocks import KeyValue
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.flops import TRAINING, pass_flops, visible_pairs
from aim_jax.models.aim.replay import Recording, action_mask, world_layout
from aim_jax.models.vae.config import VAEConfig
from aim_jax.models.vae.vae import WanVAE
from aim_jax.parallel.shardings import MeshPlacement, abstract, shardings
from aim_jax.policy.memory import Memory
from aim_jax.policy.passes import act, imagine, remember
from aim_jax.training.precision import for_compute
from aim_jax.training.stage2_update import Sample, Transitions, Update, join, split


def stage2(setting: Setting) -> tuple[Program, ...]:
    """Stage II on `batch` episodes: keys and values of the frozen world, and one update of the action head.

    Matrices of the towers are held in the compute dtype, the head and its optimiser in float32.
    """
    experiment = setting.experiment
    model, grpo = experiment.model, experiment.grpo
    setting.check_batch()
    graph, params = parameters(model)
    action, rest = split(params)
    rest = abstract(_held(rest, model.dit.compute_dtype), setting.mesh, setting.rules)
    (h, w), channels = model.latent_hw, model.dit.in_channels
    null = jnp.zeros((h, w, channels))
    placement = MeshPlacement(setting.mesh, setting.rules)
    update = Update(graph, grpo, experiment.rollout.stop_sigma, null, placement)
    trained = jax.eval_shape(lambda action: update.trained(action, model), action)
    trained = abstract(trained, setting.mesh, setting.rules)
    opt_state = abstract(jax.eval_shape(update.begin, trained), setting.mesh, setting.rules)
    k, chunks = model.latents_per_chunk, grpo.max_chunks
    executed = chunks * k + (1 - model.first_action_frame)
    actions = setting.samples(executed, model.actions_per_latent, model.action_dim)
    recording = Recording(
        rgb=setting.samples(1 + (chunks - 1) * k, h, w, channels),
        future=setting.samples(chunks * k, h, w, channels),
        value=setting.samples(chunks * k, h, w, channels),
        actions=actions,
        text=setting.samples(experiment.text.max_len, model.dit.text_dim),
    )
    return (
        _context(setting, update, join(trained, rest), recording, chunks),
        _update(setting, update, (trained, opt_state, rest), actions),
    )


def _context(setting: Setting, update: Update, params: PyTree, recording: Recording, chunks: int) -> Program:
    model, text = setting.experiment.model, setting.experiment.text.max_len
    layout = world_layout(model, chunks)
    frames = {name: len(layout.stream(name)) for name in STREAMS}
    flops = pass_flops(model, frames, visible_pairs(layout, model), noisy={}, text=text).forward
    plans: tuple[SplashPlan, ...] = ()
    if model.attention == "splash":
        plans = (window_plan(layout, model.visibility), full_plan(layout.stream_length("rgb"), text))
    return Program(
        "context",
        update.context,
        (params, recording),
        donated=(),
        results=None,
        plans=plans,
        flops=float(flops * setting.batch),
        samples=setting.batch,
    )


def _update(setting: Setting, update: Update, state: tuple[PyTree, PyTree, PyTree], executed: Any) -> Program:
    model, chunks = setting.experiment.model, setting.experiment.grpo.max_chunks
    k, tokens = model.latents_per_chunk, model.tokens
    mask = action_mask(model, chunks)
    known = mask.shape[1] - mask.shape[0]
    assert known == (1 + (chunks - 1) * k) * tokens["rgb"] + chunks * k * tokens["value"]
    s = update.exploration.samples(setting.experiment.rollout.action_steps)
    drawn = setting.samples(s, chunks * k, model.actions_per_latent, model.action_dim)
    level = setting.samples(chunks, s)
    sample = Sample(
        context=_keys(setting, known),
        executed=executed,
        transitions=Transitions(level, level, before=drawn, after=drawn, mask=setting.samples(chunks)),
        old=setting.samples(chunks),
        reference=Transition(drawn, drawn),
        advantage=setting.samples(),
    )
    frames = {"action": mask.shape[0] // tokens["action"]}
    flops = pass_flops(model, frames, int(mask.sum()), noisy={"action": chunks * k}, text=0, text_kv=False)
    action, opt_state, _ = state
    place = [shardings(tree, setting.mesh, setting.rules) for tree in (action, opt_state)]
    return Program(
        "update",
        update.apply,
        (*state, sample),
        donated=(1,),
        results=(*place, None),
        plans=(),
        flops=float(TRAINING * s * flops.forward * setting.batch),
        samples=setting.batch,
    )


def rollout(setting: Setting) -> tuple[Program, ...]:
    """One chunk of `batch` episodes: `observe` appends real frames and actions, `plan` imagines and acts."""
    experiment = setting.experiment
    model, config = experiment.model, experiment.rollout
    setting.check_batch()
    graph, params = parameters(model)
    params = abstract(_held(params, model.dit.compute_dtype), setting.mesh, setting.rules)
    (h, w), channels, k = model.latent_hw, model.dit.in_channels, model.latents_per_chunk
    text = experiment.text.max_len
    memory, text_kv = _memory(setting), _keys(setting, text)
    latents = setting.samples(k, h, w, channels)
    actions = setting.samples(k, model.actions_per_latent, model.action_dim)
    world_sigmas = sigma_schedule(config.world_steps, config.video_shift, config.stop_sigma).astype(np.float32)
    action_sigmas = sigma_schedule(config.action_steps, config.action_shift).astype(np.float32)

    def observe(params: PyTree, memory: Memory, text_kv: KeyValue, rgb: Array, executed: Array) -> Memory:
        return remember(nnx.merge(graph, params), memory, text_kv, rgb, executed)

    def plan(
        params: PyTree, memory: Memory, text_kv: KeyValue, null: Array, rgb: Array, value: Array, noise: Array
    ) -> Array:
        aim = nnx.merge(graph, params)
        world = imagine(aim, memory, text_kv, null, (rgb, value), jnp.asarray(world_sigmas))
        return act(aim, memory, world.map_kv, noise, jnp.asarray(action_sigmas))

    seen, planned = _rollout_flops(model, config.world_steps, config.action_steps, text)
    common: dict[str, Any] = {"plans": (), "results": None, "samples": setting.batch}
    return (
        Program(
            "observe",
            setting.placed(observe),
            (params, memory, text_kv, latents, actions),
            donated=(1,),
            flops=float(seen * setting.batch),
            **common,
        ),
        Program(
            "plan",
            setting.placed(plan),
            (params, memory, text_kv, setting.whole(h, w, channels), latents, latents, actions),
            donated=(),
            flops=float(planned * setting.batch),
            **common,
        ),
    )


def vae_encode(setting: Setting) -> tuple[Program, ...]:
    """The streaming encoder on one chunk's frames of `batch` episodes; weights whole on every chip."""
    model = setting.experiment.model
    config = dataclasses.replace(VAEConfig.wan22(), compute_dtype="bfloat16")
    setting.check_batch()
    graph, params = nnx.split(nnx.eval_shape(lambda: WanVAE(config, rngs=nnx.Rngs(0))))
    params = jax.tree.map(lambda x: setting.whole(*x.shape, dtype=jnp.bfloat16), params)
    height, width = (side * config.spatial_factor for side in model.latent_hw)
    frames = model.latents_per_chunk * config.temporal_factor
    cache = nnx.eval_shape(lambda: WanVAE(config, rngs=nnx.Rngs(0)).init_encode_cache(setting.batch, height, width))
    cache = jax.tree.map(lambda x: setting.samples(*x.shape[1:], dtype=x.dtype), cache)
    video = setting.samples(frames, height, width, 3)

    def encode(params: PyTree, video: Array, cache: Any) -> Any:
        return nnx.merge(graph, params).encode_next(video, cache)

    return (
        Program(
            "encode",
            setting.placed(encode),
            (params, video, cache),
            donated=(2,),
            results=None,
            plans=(),
            flops=float(counted_flops(encode, params, video, cache)),
            samples=setting.batch,
        ),
    )


def _held(params: PyTree, dtype: str) -> PyTree:
    """Shapes of parameters as policies hold them: matrices in the compute dtype."""
    return jax.eval_shape(lambda tree: for_compute(tree, dtype), params)


def _keys(setting: Setting, tokens: int) -> Any:
    """Stands in for keys and values of every layer: [layers, b, tokens, heads, head_dim]."""
    dit = setting.experiment.model.dit
    shape = (dit.num_layers, setting.batch, tokens, dit.num_heads, dit.head_dim)
    kv = setting.lying(shape, None, "batch", None, "heads", None, dtype=dit.compute_dtype)
    return kv, kv


def _memory(setting: Setting) -> Memory:
    """Stands in for the cache of a rollout."""
    model = setting.experiment.model
    dit, window = model.dit, model.visibility.window

    def ring(stream: str) -> Any:
        shape = (dit.num_layers, setting.batch, window, model.tokens[stream], dit.num_heads, dit.head_dim)
        kv = setting.lying(shape, None, "batch", None, None, "heads", None, dtype=dit.compute_dtype)
        return kv, kv

    slots = setting.samples(window, dtype=jnp.int32)
    newest = setting.samples(dtype=jnp.int32)
    return Memory(ring("rgb"), ring("action"), slots, slots, newest)


def _rollout_flops(model: AIMConfig, world_steps: int, action_steps: int, text: int) -> tuple[int, int]:
    """Operations of `observe` and `plan` for one episode whose window is full."""
    tokens, k, window = model.tokens, model.latents_per_chunk, model.visibility.window
    rgb, value, action = (k * tokens[name] for name in STREAMS)
    past = window * (tokens["rgb"] + tokens["action"])
    null = tokens["value"] if model.visibility.value_null_frame else 0
    observe = pass_flops(model, {"rgb": k, "action": k}, rgb * past + action * past, noisy={}, text=text, text_kv=False)
    pairs = rgb * (past + rgb) + value * (window * tokens["rgb"] + rgb + null + value)
    world = pass_flops(model, {"rgb": k, "value": k}, pairs, noisy={"rgb": k, "value": k}, text=text, text_kv=False)
    seen = window if model.visibility.action_past_obs else 1
    act_pairs = action * (seen * tokens["rgb"] + window * tokens["action"] + value + action)
    acting = pass_flops(model, {"action": k}, act_pairs, noisy={"action": k}, text=0, text_kv=False)
    blacks = {"value": 1 if null else 0}
    black = pass_flops(model, blacks, null * (tokens["rgb"] + null), noisy={}, text=0, text_kv=False)
    plan = (world_steps + 1) * world.forward + action_steps * acting.forward + black.forward
    return observe.forward, plan
