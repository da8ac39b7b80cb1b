"""openpi's own client drives a whole episode of the simulator through the server, with the policy of the package."""

from __future__ import annotations

import numpy as np
import pytest

from aim_jax.evaluation.load import PACKAGED, load_policy
from aim_jax.policy.slots import SlotTable
from aim_jax.sim.env import Env
from tests.policy.serving import serving, url

pytestmark = pytest.mark.sim
SEED = 100_000


def test_openpi_client_plays_click_bell_to_its_end() -> None:
    from openpi_client.websocket_client_policy import WebsocketClientPolicy

    policy = load_policy(PACKAGED)
    canvas = policy.experiment.canvas
    env = Env("click_bell")
    with serving(SlotTable(policy.agent, 1, 1, canvas.hw), spec=canvas) as server:
        client = WebsocketClientPolicy(url(server))
        facts = client.get_server_metadata()
        stride, horizon = facts["frame_stride"], facts["execute"]
        first = env.reset(SEED)
        message = {"images": first.images, "prompt": env.instruction, "seed": 0, "state": first.state}
        executed, done = 0, False
        while not done:
            reply = client.infer(message)
            actions = reply["actions"][:horizon]
            assert reply["held_frames"] == 0
            assert np.isfinite(actions).all()
            result = env.step(actions, range(stride, horizon + 1, stride))
            executed, done = executed + result.executed, result.done
            seen = [observation.images for observation in result.observations]
            if not done:
                pictures = {name: np.stack([images[name] for images in seen]) for name in first.images}
                message = {"images": pictures, "executed": actions}
    assert executed == env.steps
    assert result.success or executed == env.step_limit
    env.close()
