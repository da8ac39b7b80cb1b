"""Stage II's update: log-probabilities of recorded transitions, and the step that changes the action head only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from aim_jax.array_typing import Array, Float, PyTree
from aim_jax.core.transition import Transition, divergence, log_prob
from aim_jax.models.aim.blocks import KeyValue
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.replay import Recording, action_predictions, frozen_context
from aim_jax.models.placement import placing
from aim_jax.parallel.shardings import MeshPlacement, shardings
from aim_jax.policy.exploration import FPO, Exploration, FlowNoise, FlowSDE
from aim_jax.training.config import GRPOConfig
from aim_jax.training.grpo_loss import Clip, clipped_loss
from aim_jax.training.optimiser import make_optimiser

HEAD = "action"
"""The branch that Stage II trains."""
LEARNED = "exploration"
"""What a way to explore learns beside it; no part of the policy."""


class Transitions(NamedTuple):
    """What recorded episodes were sampled by: s samples per chunk (`policy.exploration.Chain`).

    Attributes:
        sigma: noise level of each sample [b, C, s].
        following: the level that its step led to [b, C, s].
        before: the noisy actions [b, s, C K, a, d].
        after: what was drawn [b, s, C K, a, d].
        mask: 1 for chunks that were executed [b, C].
    """

    sigma: Float[Array, "b c s"]
    following: Float[Array, "b c s"]
    before: Float[Array, "b s f a d"]
    after: Float[Array, "b s f a d"]
    mask: Float[Array, "b c"]


class Sample(NamedTuple):
    """What an update reads; leading dimension: episodes (for `context`: the second).

    Attributes:
        context: frozen keys and values, [layers, b, l, heads, head_dim].
        executed: executed actions [b, C K, a, d].
        transitions: the samples.
        old: log-probabilities of the chunks under the policy that acted [b, C].
        reference: where the Stage I policy would have led, in the shape of the samples.
        advantage: [b].
    """

    context: KeyValue
    executed: Array
    transitions: Transitions
    old: Array
    reference: Transition
    advantage: Array


def exploration_of(config: GRPOConfig) -> Exploration:
    """The way to explore that a configuration names."""
    ways = {
        "flow_sde": FlowSDE(config.noise, config.correlation),
        "flow_noise": FlowNoise(*config.noise_range),
        "fpo": FPO(config.fpo_pairs),
    }
    return ways[config.exploration]


class Update:
    """Compiled functions of Stage II for one model.

    Args:
        graph: NNX graph of the model.
        config: Stage II.
        stop_sigma: noise level at which maps are read.
        null: normalised latent of the black map.
        placement: the mesh over which parameters are spread; None for one device.
    """

    def __init__(
        self,
        graph: Any,
        config: GRPOConfig,
        stop_sigma: float,
        null: Array,
        placement: MeshPlacement | None = None,
    ) -> None:
        self._graph, self._config = graph, config
        self.exploration = exploration_of(config)
        self._stop, self._null, self._placement = stop_sigma, null, placement
        self.optimiser = make_optimiser(config.optimiser, max(1, config.updates))
        self.context = jax.jit(self._placed(self._context))
        self.transition = jax.jit(self._placed(self._transition))
        self.apply = jax.jit(self._placed(self._apply), donate_argnums=1)

    def begin(self, trained: PyTree) -> PyTree:
        """The optimiser's first state, where the parameters lie."""
        return jax.jit(lambda trained: self._kept(self.optimiser.init(trained)))(trained)

    def trained(self, action: nnx.State, model: AIMConfig) -> nnx.State:
        """What is trained: the action head, and what the exploration learns beside it, if anything."""
        learned = self.exploration.begin(model, jax.random.key(self._config.seed))
        return nnx.State({**action, LEARNED: learned}) if jax.tree.leaves(learned) else action

    def _placed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def on_mesh(*args: Any) -> Any:
            with placing(self._placement):
                return function(*args)

        return on_mesh if self._placement is not None else function

    def _kept(self, tree: PyTree) -> PyTree:
        """`tree`, laid out as its logical axes say."""
        place = self._placement
        if place is None:
            return tree
        return jax.lax.with_sharding_constraint(tree, shardings(tree, place.mesh, place.rules))

    def log_prob(self, transition: Transition, transitions: Transitions) -> Float[Array, "b c"]:
        """Log-probability of each recorded chunk."""
        return _per_chunk(log_prob, transitions.mask.shape, transitions.after, transition)

    def _context(self, params: PyTree, recording: Recording) -> KeyValue:
        return frozen_context(nnx.merge(self._graph, params), recording, self._null, self._stop)

    def _transition(
        self, trained: PyTree, rest: PyTree, context: KeyValue, executed: Array, transitions: Transitions
    ) -> Transition:
        """Distributions of all samples, [b, s, C K, a, d]."""
        model = nnx.merge(self._graph, join(trained, rest))
        learned, k = trained.get(LEARNED), model.config.latents_per_chunk

        def per_frame(levels: Array) -> Array:
            return jnp.repeat(levels, k, axis=1)[:, :, None, None]

        def one(before: Array, sigma: Array, following: Array) -> Transition:
            said = action_predictions(model, context, executed, before, sigma)
            return self.exploration.transition(learned, before, said, per_frame(sigma), per_frame(following))

        before, sigma, following = transitions.before, transitions.sigma, transitions.following
        if before.shape[1] == 1:
            each = one(before[:, 0], sigma[..., 0], following[..., 0])
            return Transition(*(part[:, None] for part in each))
        # Sample by sample: together, their activations would need s times the memory.
        parts = (jnp.moveaxis(before, 1, 0), jnp.moveaxis(sigma, 2, 0), jnp.moveaxis(following, 2, 0))
        every = jax.lax.map(jax.checkpoint(lambda part: one(*part)), parts)
        return Transition(*(jnp.moveaxis(part, 0, 1) for part in every))

    def _apply(
        self, trained: PyTree, opt_state: PyTree, rest: PyTree, sample: Sample
    ) -> tuple[PyTree, PyTree, dict[str, Array]]:
        clip = Clip(self._config.clip_low, self._config.clip_high, self._config.dual_clip)

        def objective(trained: PyTree) -> tuple[Array, dict[str, Array]]:
            new = self._transition(trained, rest, sample.context, sample.executed, sample.transitions)
            log_ratio = self.log_prob(new, sample.transitions) - sample.old
            mask = sample.transitions.mask * jnp.asarray(sample.advantage != 0)[:, None]
            advantage = jnp.broadcast_to(sample.advantage[:, None], mask.shape)
            loss, metrics = clipped_loss(log_ratio.ravel(), advantage.ravel(), mask.ravel(), clip)
            executed = sample.transitions.mask
            away = _per_chunk(divergence, executed.shape, new, sample.reference)
            kl = (away * executed).sum() / jnp.maximum(executed.sum(), 1)
            return loss + self._config.kl * kl, metrics | {"loss": loss, "kl_reference": kl}

        (_, metrics), grads = jax.value_and_grad(objective, has_aux=True)(trained)
        updates, opt_state = self.optimiser.update(grads, opt_state, trained)
        return (
            self._kept(optax.apply_updates(trained, updates)),
            self._kept(opt_state),
            metrics | {"grad_norm": optax.global_norm(grads)},
        )


def split(params: nnx.State) -> tuple[nnx.State, nnx.State]:
    """The action head's parameters, and all others."""
    rest = nnx.State({name: value for name, value in params.items() if name != HEAD})
    return nnx.State({HEAD: params[HEAD]}), rest


def join(trained: PyTree, rest: PyTree) -> nnx.State:
    """The policy's parameters: the inverse of `split`, without what an exploration has learned."""
    return nnx.State({**rest, HEAD: trained[HEAD]})


def _per_chunk(
    density: Callable[..., Float[Array, " n"]], shape: tuple[int, ...], first: Any, second: Transition
) -> Float[Array, "b c"]:
    """Applies `density` to samples [b, s, C K, a, d], all those of a chunk together; spreads may be broadcastable."""
    batch, chunks = shape
    full = second.mean.shape

    def regroup(x: Array) -> Array:
        x = jnp.broadcast_to(x, full)
        x = x.reshape(batch, full[1], chunks, -1)
        return jnp.moveaxis(x, 1, 2).reshape(batch * chunks, -1)

    first, second = jax.tree.map(regroup, (first, second))
    return density(first, second).reshape(batch, chunks)
