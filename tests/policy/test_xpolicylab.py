"""The folder for XPolicyLab against a fake of its interface, with a policy that tells which frames it saw."""

from __future__ import annotations

import importlib
import sys
import types

import numpy as np
import pytest

from aim_jax.errors import AimError
from aim_jax.policy.xpolicylab.write import write_folder
from tests.policy.fake_engine import FakeEngine
from tests.policy.serving import SPEC, serving, url


class SeeingEngine(FakeEngine):
    """Notes the brightness of every frame that it is shown, per slot."""

    def __init__(self):
        super().__init__(SPEC.hw)
        self.seen: dict[int, list[int]] = {}

    def _turn(self, turn):
        canvases = turn.canvas[None] if hasattr(turn, "canvas") else turn.canvases
        self.seen.setdefault(turn.slot, []).extend(int(c[0, 0, 0]) for c in canvases)
        return super()._turn(turn)


class Env:
    """As XPolicyLab's task environments: a picture's brightness is the number of actions executed so far."""

    def __init__(self, count: int, limit: int, ends: dict[int, int] | None = None):
        self.count, self.limit, self.ends, self.steps, self.rendered = count, limit, ends or {}, 0, 0

    def get_obs(self, env_idx=0):
        self.rendered += 1
        picture = np.full((24, 32, 3), self.steps, np.uint8)
        cameras = {name: {"color": picture} for name in ("cam_head", "cam_left_wrist", "cam_right_wrist")}
        return {"vision": cameras, "instruction": "stack", "env_idx": env_idx, "state": {}}

    def get_obs_batch(self, indices):
        return [self.get_obs(index) for index in indices]

    def take_action(self, action):
        assert {name: len(part) for name, part in action.items()} == {
            "left_arm_joint_state": 6, "left_ee_joint_state": 1, "right_arm_joint_state": 6, "right_ee_joint_state": 1,
        }  # fmt: skip
        self.steps += 1

    def take_action_batch(self, actions, indices):
        assert len(actions) == len(indices)
        self.take_action(actions[0])

    def get_running_env_idx_list(self):
        return [i for i in range(self.count) if self.steps < self.ends.get(i, self.limit)]

    def is_episode_end(self):
        return self.steps >= self.limit


class Client:
    """As XPolicyLab's WsModelClient and server: observations stay here until actions are asked for, one at a time."""

    def __init__(self, model):
        self.model, self.obs = model, None

    def call(self, func_name, obs=None):
        if func_name == "reset":
            return self.model.reset()
        if func_name.startswith("update_obs"):
            self.obs = obs
            return None
        if func_name == "get_action":
            self.model.update_obs(self.obs)
            return self.model.get_action()
        answers = []
        for one in self.obs:
            self.model.update_obs(one)
            answers.append(self.model.get_action())
        return answers


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The written folder as a package, beside a stand-in for XPolicyLab."""
    write_folder(tmp_path / "AIM", "ws://127.0.0.1:1")
    package, template = types.ModuleType("XPolicyLab"), types.ModuleType("XPolicyLab.model_template")
    template.ModelTemplate = type("ModelTemplate", (), {})
    monkeypatch.setitem(sys.modules, "XPolicyLab", package)
    monkeypatch.setitem(sys.modules, "XPolicyLab.model_template", template)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield types.SimpleNamespace(
        model=importlib.import_module("AIM.model"), deploy=importlib.import_module("AIM.deploy"), path=tmp_path / "AIM"
    )
    for name in [name for name in sys.modules if name.split(".")[0] == "AIM"]:
        del sys.modules[name]


def test_an_episode_shows_the_policy_every_fourth_frame(folder):
    engine = SeeingEngine()
    with serving(engine) as server:
        env = Env(1, limit=24)
        folder.deploy.eval_one_episode(env, Client(folder.model.Model({"aim_url": url(server)})))
    assert engine.seen == {0: [0, 4, 8, 12, 16]}
    assert env.rendered == 6


def test_an_observation_after_every_action_is_thinned_out(folder):
    engine = SeeingEngine()
    with serving(engine) as server:
        env, model = Env(1, limit=24), folder.model.Model({"aim_url": url(server)})
        model.reset()
        while not env.is_episode_end():
            model.update_obs(env.get_obs())
            actions = model.get_action()
            for number, action in enumerate(actions, start=1):
                env.take_action(action)
                if number < len(actions):
                    model.update_obs(env.get_obs())
        model.reset()
    assert engine.seen == {0: [0, 4, 8, 12, 16]}


def test_environments_that_end_apart(folder):
    engine = SeeingEngine()
    with serving(engine) as server:
        env = Env(2, limit=24, ends={1: 10})
        folder.deploy.eval_one_episode_batch(env, Client(folder.model.Model({"aim_url": url(server)})))
    assert sorted(engine.seen.values(), key=len) == [[0, 4, 8], [0, 4, 8, 12, 16]]


def test_the_folder_is_complete_and_not_overwritten(folder):
    names = {path.name for path in folder.path.iterdir()} - {"__pycache__"}
    assert {"model.py", "deploy.py", "deploy.yml", "aim_client", "setup_eval_policy_server.sh"} <= names
    assert "policy_name: AIM" in (folder.path / "deploy.yml").read_text()
    with pytest.raises(AimError, match="exists"):
        write_folder(folder.path, "ws://127.0.0.1:1")
    with pytest.raises(AimError, match="no websocket"):
        write_folder(folder.path.parent / "B", "http://x")
