"""Replaying an episode against the frozen world gives the velocities that the rollout used."""

import jax.numpy as jnp
import numpy as np
import pytest

from aim_jax.core.visibility import VisibilityConfig
from aim_jax.models.aim.blocks import text_keys
from aim_jax.models.aim.replay import Recording, action_predictions, frozen_context
from aim_jax.policy.memory import empty_memory
from aim_jax.policy.passes import imagine, predict_action, remember
from tests.models.tiny_aim import BATCH, CHUNKS, config, model, noise, window

K = 2


@pytest.mark.parametrize("reads", ["future", "history"])
@pytest.mark.parametrize(("stop", "start_actions"), [(0.0, False), (0.4, False), (0.0, True)])
def test_replay_equals_rollout(reads, stop, start_actions):
    aim_config = config(VisibilityConfig(window=3, clean_value_reads=reads), start_actions=start_actions)
    aim, data = model(aim_config), window(aim_config)
    extra = noise(data, aim_config)
    text = text_keys(aim, data.text)
    memory = remember(aim, empty_memory(aim_config, BATCH), text, data.rgb[:, :1], data.before)
    sigma = np.array([[0.9, 0.5, 0.1], [0.2, 0.7, 1.0]], np.float32)
    samples, futures, values, velocities = extra.action[:, 0], [], [], []
    for c in range(CHUNKS):
        part = slice(c * K, (c + 1) * K)
        start = extra.rgb[:, part], extra.value[:, part]
        world = imagine(aim, memory, text, data.null, start, jnp.array([1.0, 0.7, stop]))
        futures.append(world.rgb)
        values.append(world.value)
        levels = [jnp.asarray(level) for level in sigma[:, c]]
        velocities.append(
            jnp.stack(
                [
                    predict_action(aim, memory, world.map_kv, samples[:, part], level).velocity[row]
                    for row, level in enumerate(levels)
                ]
            )
        )
        if c + 1 < CHUNKS:
            memory = remember(aim, memory, text, data.rgb[:, 1 + c * K : 1 + (c + 1) * K], data.actions[:, part])
    recording = Recording(
        data.rgb[:, : 1 + (CHUNKS - 1) * K],
        jnp.concatenate(futures, 1),
        jnp.concatenate(values, 1),
        data.actions if data.before is None else jnp.concatenate([data.before, data.actions], 1),
        data.text,
    )
    context = frozen_context(aim, recording, data.null, stop)
    replayed = action_predictions(aim, context, recording.actions, samples, jnp.asarray(sigma)).velocity
    np.testing.assert_allclose(replayed, jnp.concatenate(velocities, 1), atol=2e-4)
