"""How actions are sampled for Stage II, and how probable what was sampled is: three ways behind one interface.

Every way records *samples*: noisy actions at a noise level, and something that was drawn there from a normal
distribution whose mean (and spread) the action head decides. Its log-density, averaged over all samples and numbers of
a chunk, is the log-probability of the chunk up to a constant. So ratios, clipping and divergences are the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from aim_jax.array_typing import Array, Float, Key, NDArray, PyTree
from aim_jax.core.flow import euler_step
from aim_jax.core.transition import Transition, noisy_euler_transition, sde_transition
from aim_jax.models.aim.action import Prediction
from aim_jax.models.aim.blocks import KeyValue
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.model import AIM
from aim_jax.models.aim.noise_head import NoiseHead
from aim_jax.policy.memory import Memory
from aim_jax.policy.passes import act, predict_action


class Chain(NamedTuple):
    """A chunk of actions, and the samples that tell how probable it was.

    Attributes:
        actions: the result, normalised [b, k, a, d].
        sigma: noise level of each sample [b, s].
        following: the level that its step led to [b, s].
        before: the noisy actions there [b, s, k, a, d].
        after: what was drawn [b, s, k, a, d].
    """

    actions: Array
    sigma: Array
    following: Array
    before: Array
    after: Array


class Scene(NamedTuple):
    """What a chunk of actions is decided from.

    Attributes:
        model: parameters.
        memory: history.
        map_kv: the finished map.
        sigmas: descending noise levels of the sampler, from 1.
    """

    model: AIM
    memory: Memory
    map_kv: KeyValue
    sigmas: Float[Array, " n"]


class Exploration(ABC):
    """A way to explore. Instances are hashable, to be static arguments of compiled functions."""

    def begin(self, config: AIMConfig, key: Key[Array, ""]) -> PyTree:
        """Parameters that it learns beside the action head; an empty tree for none."""
        return nnx.State({})

    @abstractmethod
    def samples(self, action_steps: int) -> int:
        """How many samples it records of a chunk, s, for a sampler of so many steps."""

    @abstractmethod
    def act(self, params: PyTree, scene: Scene, noise: Float[Array, "b k a d"], key: Key[Array, ""]) -> Chain:
        """Samples a chunk.

        Args:
            params: its own, see `begin`.
            scene: what to act upon.
            noise: starting point.
            key: of all other randomness.
        """

    @abstractmethod
    def transition(
        self,
        params: PyTree,
        before: Float[Array, "b f a d"],
        said: Prediction,
        sigma: Float[Array, "*#s"],
        following: Float[Array, "*#s"],
    ) -> Transition:
        """The distribution that a sample's `after` was drawn from, according to an action head.

        Args:
            params: its own.
            before: the noisy actions.
            said: what the head says of them.
            sigma: their noise level, broadcastable to them.
            following: the level of the next step.
        """


@dataclass(frozen=True)
class FlowSDE(Exploration):
    """One step of a chunk, drawn at random, follows an SDE with the marginals of the ODE (Flow-GRPO; RLinf Flow-SDE).

    The last step is never the one: its standard deviation is tiny.

    Drives follow targets, so that white noise over the control steps hardly moves a hand, while each of its numbers
    blurs the gradient. Kicks may hence be correlated over the steps of a latent frame, those at i and j by
    correlation ** |i - j| (an autoregressive process; Eberhard et al., Pink Noise Is All You Need, ICLR 2023). What is
    recorded is whitened, a linear change of variables, so densities and ratios are exact.

    Attributes:
        noise: a, g = a sqrt(sigma / (1 - sigma)).
        correlation: of the kicks of neighbouring control steps, in [0, 1); 0 for white noise.
    """

    noise: float
    correlation: float = 0.0

    def samples(self, action_steps: int) -> int:
        """One."""
        return 1

    def act(self, params: PyTree, scene: Scene, noise: Float[Array, "b k a d"], key: Key[Array, ""]) -> Chain:
        """See `Exploration`."""
        step_key, kick_key = jax.random.split(key)
        step = jax.random.randint(step_key, (noise.shape[0],), 0, len(scene.sigmas) - 2)
        return self.act_at(scene, noise, step, jax.random.normal(kick_key, noise.shape))

    def act_at(self, scene: Scene, noise: Float[Array, "b k a d"], step: Array, kick: Float[Array, "b k a d"]) -> Chain:
        """Samples with given randomness: `step` [b] is the stochastic one, `kick` its white standard normal noise."""
        coloured = self._along_steps(self._colour(noise.shape[-2]), kick)

        def body(carry: tuple[Array, Array, Array], levels: tuple[Array, Array, Array]):
            a, before, after = carry
            number, sigma, sigma_next = levels
            v = predict_action(scene.model, scene.memory, scene.map_kv, a, sigma).velocity
            transition = sde_transition(a, v, sigma, sigma_next, self.noise)
            chosen = (step == number)[:, None, None, None]
            jumped = jnp.where(chosen, transition.mean + transition.std * coloured, euler_step(a, v, sigma, sigma_next))
            return (jumped, jnp.where(chosen, a, before), jnp.where(chosen, jumped, after)), None

        sigmas = scene.sigmas
        start = (noise, jnp.zeros_like(noise), jnp.zeros_like(noise))
        levels = (jnp.arange(len(sigmas) - 1), sigmas[:-1], sigmas[1:])
        (actions, before, after), _ = jax.lax.scan(body, start, levels)
        drawn = self._whitened(after)
        return Chain(actions, sigmas[step][:, None], sigmas[step + 1][:, None], before[:, None], drawn[:, None])

    def transition(self, params: PyTree, before, said: Prediction, sigma, following) -> Transition:
        """See `Exploration`. Of the whitened sample."""
        mean, std = sde_transition(before, said.velocity, sigma, following, self.noise)
        return Transition(self._whitened(mean), std)

    def _colour(self, steps: int) -> NDArray:
        """The Cholesky factor of the correlations of so many control steps."""
        away = np.abs(np.subtract.outer(np.arange(steps), np.arange(steps)))
        return np.linalg.cholesky(np.power(float(self.correlation), away))

    def _whitened(self, x: Float[Array, "*b a d"]) -> Float[Array, "*b a d"]:
        return self._along_steps(np.linalg.inv(self._colour(x.shape[-2])), x)

    def _along_steps(self, matrix: NDArray, x: Float[Array, "*b a d"]) -> Float[Array, "*b a d"]:
        if not self.correlation:
            return x
        return jnp.einsum("ij,...jd->...id", jnp.asarray(matrix, x.dtype), x, precision="highest")


@dataclass(frozen=True)
class FlowNoise(Exploration):
    """Every step but the last has noise of a learned spread (ReinFlow, arXiv 2505.22094; pi_RL, arXiv 2510.25889).

    The noise of the last step would be what the robot trembles with. The probability is that of the whole chain, so an
    update costs as many passes of the head as the sampler has steps.

    Attributes:
        low: smallest standard deviation, in normalised actions.
        high: largest.
    """

    low: float
    high: float

    @property
    def _bounds(self) -> tuple[float, float]:
        return self.low, self.high

    def begin(self, config: AIMConfig, key: Key[Array, ""]) -> PyTree:
        """The noise head's parameters."""
        return nnx.split(
            NoiseHead(config.action_hidden, config.actions_per_token, config.action_dim, self._bounds, nnx.Rngs(key))
        )[1]

    def samples(self, action_steps: int) -> int:
        """All steps but the last."""
        return action_steps - 1

    def act(self, params: PyTree, scene: Scene, noise: Float[Array, "b k a d"], key: Key[Array, ""]) -> Chain:
        """See `Exploration`."""
        sigmas = scene.sigmas
        kicks = jax.random.normal(key, (len(sigmas) - 2, *noise.shape))

        def body(a: Array, given: tuple[Array, Array, Array]):
            sigma, sigma_next, kick = given
            said = predict_action(scene.model, scene.memory, scene.map_kv, a, sigma)
            mean, std = self.transition(params, a, said, sigma, sigma_next)
            after = mean + std * kick
            return after, (a, after)

        last, (before, after) = jax.lax.scan(body, noise, (sigmas[:-2], sigmas[1:-1], kicks))
        velocity = predict_action(scene.model, scene.memory, scene.map_kv, last, sigmas[-2]).velocity
        shape = (noise.shape[0], len(sigmas) - 2)
        return Chain(
            euler_step(last, velocity, sigmas[-2], sigmas[-1]),
            jnp.broadcast_to(sigmas[:-2], shape),
            jnp.broadcast_to(sigmas[1:-1], shape),
            jnp.moveaxis(before, 0, 1),
            jnp.moveaxis(after, 0, 1),
        )

    def transition(self, params: PyTree, before, said: Prediction, sigma, following) -> Transition:
        """See `Exploration`."""
        return noisy_euler_transition(before, said.velocity, sigma, following, self._std(params, said))

    def _std(self, params: PyTree, said: Prediction) -> Array:
        (tokens, width), (actions, dim) = said.features.shape[-2:], said.velocity.shape[-2:]
        head = nnx.eval_shape(lambda: NoiseHead(width, actions // tokens, dim, self._bounds, nnx.Rngs(0)))
        return nnx.merge(nnx.graphdef(head), params)(said.features)


@dataclass(frozen=True)
class FPO(Exploration):
    """Actions vary by their starting noise alone; a chunk's probability is what its flow-matching loss says of it.

    The ratio is exp(mean(l_old - l_new)) over pairs of noise level and noise that are drawn once per chunk
    (FPO, arXiv 2507.21053): a bound's surrogate, not the ratio of the sampler. As a normal distribution: the velocity
    that a sample should have, around the one that the head says, with variance 1/2.

    Attributes:
        pairs: of noise level and noise, per chunk.
    """

    pairs: int

    def samples(self, action_steps: int) -> int:
        """The pairs."""
        return self.pairs

    def act(self, params: PyTree, scene: Scene, noise: Float[Array, "b k a d"], key: Key[Array, ""]) -> Chain:
        """See `Exploration`."""
        level_key, noise_key = jax.random.split(key)
        actions = act(scene.model, scene.memory, scene.map_kv, noise, scene.sigmas)
        sigma = jax.random.uniform(level_key, (noise.shape[0], self.pairs))
        epsilon = jax.random.normal(noise_key, (noise.shape[0], self.pairs, *noise.shape[1:]))
        level, clean = sigma[..., None, None, None], actions[:, None]
        before = (1 - level) * clean + level * epsilon
        return Chain(actions, sigma, jnp.zeros_like(sigma), before, epsilon - clean)

    def transition(self, params: PyTree, before, said: Prediction, sigma, following) -> Transition:
        """See `Exploration`."""
        return Transition(said.velocity, jnp.full_like(sigma, np.sqrt(0.5)))
