"""The worked example of docs/tasks.md, run as it stands there."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

from aim_jax.sim import registry
from aim_jax.sim.collection.expert_episode import collect_episode
from aim_jax.sim.env import Env
from aim_jax.sim.step_limits import STEP_LIMITS

pytestmark = pytest.mark.sim
DOCUMENT = Path(__file__).parents[2] / "docs" / "tasks.md"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> str:
    """Source of the example, which is registered as a task."""
    source = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[0]
    module = types.ModuleType("aim_jax.sim.tasks.press_block")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, str(DOCUMENT), "exec"), module.__dict__)
    monkeypatch.setattr(registry, "_NAMES", (*registry.task_names(), "press_block"))
    monkeypatch.setitem(STEP_LIMITS, "press_block", 400)
    return source


def test_the_example_is_short_and_its_expert_succeeds(example: str) -> None:
    assert example.count("\n") <= 80
    outcomes = [collect_episode("press_block", seed) for seed in range(10)]
    assert all(outcome.success for outcome in outcomes), outcomes
    env = Env("press_block", cameras=None)
    env.reset(0)
    assert "block" in env.instruction
    env.close()
