"""The cached rollout equals recomputing the whole prefix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aim_jax.core.visibility import VisibilityConfig
from aim_jax.models.aim.blocks import text_keys
from aim_jax.models.aim.sequence import predict
from aim_jax.policy.exploration import FlowSDE, Scene
from aim_jax.policy.memory import empty_memory
from aim_jax.policy.passes import act, imagine, predict_action, remember
from tests.models.tiny_aim import BATCH, CHUNKS, config, model, noise, window

K = 2
SIGMA = 0.3
CASES = {
    "paper": VisibilityConfig(),
    "map reads history": VisibilityConfig(clean_value_reads="history"),
    "ring wraps": VisibilityConfig(window=3),
    "past observations, no null": VisibilityConfig(
        window=3, action_past_obs=True, value_null_frame=False, clean_value_reads="history"
    ),
}


class Compiled:
    """The passes over one model, each compiled once per shape: uncompiled they would be traced at every call."""

    def __init__(self, aim):
        self.text_keys = jax.jit(lambda text: text_keys(aim, text))
        self.remember = jax.jit(lambda memory, text, rgb, actions: remember(aim, memory, text, rgb, actions))
        self.imagine = jax.jit(
            lambda memory, text, null, start, sigmas: imagine(aim, memory, text, null, start, sigmas)
        )
        self.velocity = jax.jit(lambda memory, kv, a, sigma: predict_action(aim, memory, kv, a, sigma).velocity)


def lived(passes, aim_config, data, chunks):
    """Memory after the first frame and `chunks` executed chunks."""
    text = passes.text_keys(data.text)
    memory = passes.remember(empty_memory(aim_config, BATCH), text, data.rgb[:, :1], data.before)
    for c in range(chunks):
        frames = data.rgb[:, 1 + c * K : 1 + (c + 1) * K]
        memory = passes.remember(memory, text, frames, data.actions[:, c * K : (c + 1) * K])
    return memory, text


def relative(a, b) -> float:
    return float(jnp.abs(a - b).max() / jnp.abs(b).max())


@pytest.mark.parametrize(
    ("name", "switches"),
    [*((name, {}) for name in CASES), ("ring wraps", {"start_actions": True}), ("paper", {"value_text": True})],
)
def test_cache_equals_prefix(name, switches):
    aim_config = config(CASES[name], **switches)
    aim, data = model(aim_config), window(aim_config)
    extra = noise(data, aim_config, SIGMA)
    passes = Compiled(aim)
    whole = jax.jit(lambda data, extra: predict(aim, data, extra))(data, extra)
    for chunk in range(1, CHUNKS + 1):
        memory, text = lived(passes, aim_config, data, chunk - 1)
        part = slice((chunk - 1) * K, chunk * K)
        x = (1 - SIGMA) * data.rgb[:, 1:][:, part] + SIGMA * extra.rgb[:, part]
        m = (1 - SIGMA) * data.value[:, part] + SIGMA * extra.value[:, part]
        step = passes.imagine(memory, text, data.null, (x, m), jnp.array([SIGMA, 0.0]))
        assert relative((x - step.rgb) / SIGMA, whole.rgb[:, part]) < 1e-4
        assert relative((m - step.value) / SIGMA, whole.value[:, part]) < 1e-4
        true = passes.imagine(memory, text, data.null, (data.rgb[:, 1:][:, part], data.value[:, part]), jnp.zeros(1))
        a = (1 - SIGMA) * data.actions[:, part] + SIGMA * extra.action[:, 0, part]
        velocity = passes.velocity(memory, true.map_kv, a, jnp.float32(SIGMA))
        assert relative(velocity, whole.action[:, 0, part]) < 1e-4


def test_episodes_at_different_positions_share_a_batch():
    aim_config = config(VisibilityConfig(window=3))
    aim, data = model(aim_config), window(aim_config)
    passes = Compiled(aim)
    early, text = lived(passes, aim_config, data, 1)
    late, _ = lived(passes, aim_config, data, 2)
    mixed = jax.tree.map(
        lambda a, b: (
            jnp.stack([a[0], b[1]]) if a.shape[0] == BATCH and a.ndim <= 2 else jnp.stack([a[:, 0], b[:, 1]], 1)
        ),
        early,
        late,
    )
    start = noise(data, aim_config).rgb[:, :K], noise(data, aim_config).value[:, :K]
    sigmas = jnp.array([1.0, 0.5, 0.0])
    together = passes.imagine(mixed, text, data.null, start, sigmas)
    apart = [passes.imagine(memory, text, data.null, start, sigmas) for memory in (early, late)]
    for row in range(BATCH):
        np.testing.assert_allclose(together.value[row], apart[row].value[row], atol=1e-5)
        np.testing.assert_allclose(together.map_kv[0][:, row], apart[row].map_kv[0][:, row], atol=1e-4)


def test_exploration_without_strength_is_the_ode():
    aim_config = config()
    aim, data = model(aim_config), window(aim_config)
    passes = Compiled(aim)
    memory, text = lived(passes, aim_config, data, 1)
    world = passes.imagine(memory, text, data.null, (data.rgb[:, 1:3], data.value[:, :2]), jnp.zeros(1))
    start = noise(data, aim_config).action[:, 0, :K]
    sigmas = jnp.array([1.0, 0.6, 0.2, 0.0])
    scene = Scene(aim, memory, world.map_kv, sigmas)
    chain = FlowSDE(1e-6).act_at(scene, start, jnp.array([0, 1]), jnp.ones(start.shape))
    np.testing.assert_allclose(chain.actions, act(aim, memory, world.map_kv, start, sigmas), atol=1e-4)
    np.testing.assert_allclose(chain.before[0, 0], start[0])
