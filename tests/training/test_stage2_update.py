"""A Stage II update: ratio 1 before the first step, then the action head alone moves, towards what was better."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from aim_jax.array_typing import Array
from aim_jax.core.flow import sigma_schedule
from aim_jax.core.transition import Transition
from aim_jax.models.aim.blocks import text_keys
from aim_jax.models.aim.model import AIM
from aim_jax.models.aim.replay import Recording
from aim_jax.parallel.config import MeshConfig
from aim_jax.parallel.rules import ShardingRules
from aim_jax.parallel.shardings import shardings
from aim_jax.policy.exploration import Chain, FlowSDE, Scene
from aim_jax.policy.memory import empty_memory
from aim_jax.policy.passes import imagine, remember
from aim_jax.policy.placement import acting_placement
from aim_jax.training.checkpoint import tree_hash
from aim_jax.training.config import GRPOConfig
from aim_jax.training.optimiser import OptimiserConfig
from aim_jax.training.stage2_update import LEARNED, Sample, Transitions, Update, join, split
from tests.models.tiny_aim import BATCH, CHUNKS, config, model, window

K = 2
NOISE = 0.5
STEPS = 4
SIGMAS = jnp.asarray(sigma_schedule(STEPS, 1.0), jnp.float32)
COLOURED = "flow_sde, coloured"
WAYS = ("flow_sde", COLOURED, "flow_noise", "fpo")


def grpo(way: str) -> GRPOConfig:
    return GRPOConfig(
        iterations=1,
        group=BATCH,
        groups=1,
        minibatch=BATCH,
        exploration=way.split(",")[0],  # pyright: ignore[reportArgumentType]
        noise=NOISE,
        correlation=0.9 if way == COLOURED else 0.0,
        fpo_pairs=3,
        optimiser=OptimiserConfig(lr=1e-3, warmup=0),
    )


class Life(NamedTuple):
    """Two episodes of three chunks: what was recorded, the chains as they were sampled, and with which keys."""

    aim: AIM
    null: Array
    recording: Recording
    chains: list[Chain]
    keys: list[Array]


@functools.cache
def lived(way: str) -> Life:
    """What episodes were like under a model that explores in this way."""
    aim_config = config()
    aim, data = model(aim_config), window(aim_config)
    graph, params = nnx.split(aim)
    levels = jnp.array([1.0, 0.5, 0.0])
    update = Update(graph, grpo(way), 0.0, data.null)
    learned = update.trained(split(params)[0], aim_config).get(LEARNED)
    # Compiled once: every chunk has the same shapes.
    dream = jax.jit(lambda p, past, text, start: imagine(nnx.merge(graph, p), past, text, data.null, start, levels))
    explore = jax.jit(
        lambda p, past, seen, noise, key: update.exploration.act(
            learned, Scene(nnx.merge(graph, p), past, seen, SIGMAS), noise, key
        )
    )
    append = jax.jit(lambda p, *args: remember(nnx.merge(graph, p), *args))
    text = text_keys(aim, data.text)
    memory = append(params, empty_memory(aim_config, BATCH), text, data.rgb[:, :1], None)
    worlds, chains, explored = [], [], []
    for c in range(CHUNKS):
        keys = jax.random.split(jax.random.key(c), 4)
        shape = (BATCH, K, *data.null.shape)
        start = jax.random.normal(keys[0], shape), jax.random.normal(keys[1], shape)
        world = dream(params, memory, text, start)
        noise = jax.random.normal(keys[2], (BATCH, K, aim_config.actions_per_latent, aim_config.action_dim))
        chain = explore(params, memory, world.map_kv, noise, keys[3])
        worlds.append(world)
        chains.append(chain)
        explored.append(keys[3])
        if c + 1 < CHUNKS:
            frames = data.rgb[:, 1 + c * K : 1 + (c + 1) * K]
            memory = append(params, memory, text, frames, chain.actions)
    recording = Recording(
        data.rgb[:, : 1 + (CHUNKS - 1) * K],
        jnp.concatenate([world.rgb for world in worlds], 1),
        jnp.concatenate([world.value for world in worlds], 1),
        jnp.concatenate([chain.actions for chain in chains], 1),
        data.text,
    )
    return Life(aim, data.null, recording, chains, explored)


@functools.cache
def prepared(way: str = "flow_sde") -> tuple[Update, nnx.State, nnx.State, Sample]:
    aim, null, recording, chains, _ = lived(way)
    graph, params = nnx.split(aim)
    action, rest = split(params)
    update = Update(graph, grpo(way), 0.0, null)
    trained = update.trained(action, aim.config)
    transitions = Transitions(
        jnp.stack([chain.sigma for chain in chains], 1),
        jnp.stack([chain.following for chain in chains], 1),
        jnp.concatenate([chain.before for chain in chains], 2),
        jnp.concatenate([chain.after for chain in chains], 2),
        jnp.ones((BATCH, CHUNKS)),
    )
    context = update.context(params, recording)
    now = update.transition(trained, rest, context, recording.actions, transitions)
    advantage = jnp.array([1.0, -1.0])
    old = update.log_prob(now, transitions)
    return update, trained, rest, Sample(context, recording.actions, transitions, old, now, advantage)


def _now(prepared: tuple[Update, nnx.State, nnx.State, Sample], trained: nnx.State) -> Transition:
    update, _, rest, sample = prepared
    return update.transition(trained, rest, sample.context, sample.executed, sample.transitions)


@pytest.mark.parametrize("way", ["flow_sde", COLOURED, "flow_noise"])
def test_the_replayed_policy_is_the_one_that_acted(way: str) -> None:
    """The kick that was drawn is found again: (after − mean) / std is standard normal, and it is that very kick."""
    there = prepared(way)
    after, (mean, std) = there[3].transitions.after, _now(there, there[1])
    one = lived(way).chains[0].actions.shape

    def drawn(key: Array) -> Array:
        if way != "flow_noise":
            return jax.random.normal(jax.random.split(key)[1], one)[:, None]
        return jnp.moveaxis(jax.random.normal(key, (STEPS - 1, *one)), 0, 1)

    kicks = jnp.concatenate([drawn(key) for key in lived(way).keys], 2)
    np.testing.assert_allclose((after - mean) / std, kicks, atol=4e-3)


def test_coloured_kicks_are_correlated_along_the_steps_as_asked() -> None:
    way = FlowSDE(0.5, correlation=0.9)
    white = jax.random.normal(jax.random.key(0), (20_000, 8, 2))
    kicks = way._along_steps(way._colour(8), white)
    found = np.einsum("nid,njd->ij", kicks, kicks) / (2 * len(kicks))
    steps = np.arange(8)
    np.testing.assert_allclose(found, 0.9 ** np.abs(steps[:, None] - steps), atol=0.04)
    np.testing.assert_allclose(way._whitened(kicks), white, atol=1e-4)


def test_learned_noise_starts_in_the_middle_of_its_range_and_stays_inside() -> None:
    there = prepared("flow_noise")
    low, high = there[0]._config.noise_range
    np.testing.assert_allclose(_now(there, there[1]).std, np.sqrt(low * high), rtol=1e-5)
    for scale, bound in ((1e3, high), (-1e3, low)):
        pushed = jax.tree.map(lambda x: x, there[1])
        pushed[LEARNED]["out"]["bias"] = pushed[LEARNED]["out"]["bias"].replace(
            jnp.full_like(pushed[LEARNED]["out"]["bias"][...], scale)
        )
        np.testing.assert_allclose(_now(there, pushed).std, bound, rtol=1e-5)


def test_the_ratio_of_fpo_is_that_of_its_losses() -> None:
    """exp(mean(l_old - l_new)) with l the squared error of the velocity, over the pairs that were drawn."""
    there = prepared("fpo")
    update, trained, _, sample = there
    chain, drawn = lived("fpo").chains[1], slice(K, 2 * K)
    level = chain.sigma[..., None, None, None]
    epsilon = (chain.before - (1 - level) * chain.actions[:, None]) / level
    np.testing.assert_allclose(chain.after, epsilon - chain.actions[:, None], atol=2e-3)
    other = jax.tree.map(lambda x: x * 1.05, trained)
    new, old = _now(there, other), _now(there, trained)

    def losses(velocity: Array) -> Array:
        return jnp.square(velocity[:, :, drawn] - chain.after).mean((1, 2, 3, 4))

    ratio = update.log_prob(new, sample.transitions) - update.log_prob(old, sample.transitions)
    np.testing.assert_allclose(ratio[:, 1], losses(old.mean) - losses(new.mean), rtol=1e-3, atol=1e-5)
    assert float(jnp.abs(ratio).max()) > 1e-4


@pytest.mark.parametrize("way", WAYS)
def test_only_the_action_head_moves_and_the_first_ratio_is_one(way: str) -> None:
    update, action, rest, sample = prepared(way)
    before, head = tree_hash(rest), tree_hash(action)
    state = update.optimiser.init(action)
    first = None
    for _ in range(8):
        action, state, metrics = update.apply(action, state, rest, sample)
        first = metrics if first is None else first
    assert first is not None
    np.testing.assert_allclose(first["ratio"], 1.0, atol=1e-3)
    assert float(first["ratio_deviation"]) < 1e-3
    assert tree_hash(rest) == before
    assert tree_hash(action) != head
    assert set(join(action, rest)) == {"action", *rest}


def test_padding_does_not_count_in_the_divergence_from_the_reference() -> None:
    update, action, rest, sample = prepared()
    now = update.transition(action, rest, sample.context, sample.executed, sample.transitions)
    away = jnp.broadcast_to(now.std, now.mean.shape) * jnp.array([1.0, 2.0, 100.0]).repeat(K)[:, None, None]
    mask = jnp.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    sample = sample._replace(
        reference=now._replace(mean=now.mean + away), transitions=sample.transitions._replace(mask=mask)
    )
    _, _, metrics = update.apply(action, update.optimiser.init(action), rest, sample)
    np.testing.assert_allclose(metrics["kl_reference"], (1 / 2 + 4 / 2 + 1 / 2) / 3, rtol=1e-4)


@pytest.mark.parametrize("way", WAYS)
def test_what_was_better_becomes_likelier(way: str) -> None:
    update, action, rest, sample = prepared(way)
    state = update.optimiser.init(action)
    for _ in range(8):
        action, state, _ = update.apply(action, state, rest, sample)
    now = update.transition(action, rest, sample.context, sample.executed, sample.transitions)
    change = (update.log_prob(now, sample.transitions) - sample.old).mean(1)
    assert change[0] > 0 > change[1]


@pytest.mark.parametrize("way", ["flow_sde", "flow_noise"])
def test_an_update_on_a_mesh_is_that_of_one_device(way: str) -> None:
    update, action, rest, sample = prepared(way)
    aim, null, recording, *_ = lived(way)
    placement = acting_placement(MeshConfig(data=1, fsdp=2, tensor=2), ShardingRules(smallest=0), heads=2)
    assert placement is not None
    spread = Update(nnx.graphdef(aim), grpo(way), 0.0, null, placement)
    there, towers = (jax.device_put(tree, shardings(tree, placement.mesh, placement.rules)) for tree in (action, rest))
    known = sample._replace(context=spread.context(join(there, towers), recording))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), known.context, sample.context)
    alone = update.apply(action, update.begin(action), rest, sample)
    together = spread.apply(there, spread.begin(there), towers, known)
    for one, other in zip(jax.tree.leaves(alone[0]), jax.tree.leaves(together[0]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert not all(leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(together[0]))
