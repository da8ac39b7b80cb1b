"""Evaluation in the toy checkout against a policy server with a fake engine behind it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toy import inside

from aim_jax.evaluation.wilson import wilson
from tests.policy.fake_engine import FakeEngine
from tests.policy.serving import SPEC, serving, url

# The fake engine's third number is the chunk's: the toy's goal (left arm's third joint beyond 1.5) is reached on the
# way to it, in the first action of the third chunk; odd layouts never reach it and end at the step limit of 20.


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(SPEC.hw)


def _evaluate(checkout: Path, server, *flags: str, **settings):
    return inside(
        checkout, "eval", "--task", "click_bell", "--url", url(server), "--out", "results", *flags, **settings
    )


def _results(checkout: Path, name: str = "click_bell_demo_clean_seen") -> dict:
    return json.loads((checkout.parent / "results" / f"{name}.json").read_text())


def test_robotwins_protocol(checkout: Path, engine: FakeEngine):
    with serving(engine, SPEC) as server:
        done = _evaluate(checkout, server, "--episodes", "4", "--json", "report.json")
        assert done.returncode == 0, done.stderr + done.stdout
    results = _results(checkout)
    assert [entry["seed"] for entry in results["episodes"]] == [100000, 100002, 100004, 100005]
    assert results["skipped"] == {
        "100001": "no plan found",
        "100003": "unstable: Objects is unstable in seed(100003)",
    }
    assert [entry["success"] for entry in results["episodes"]] == [True, True, True, False]
    assert [entry["actions"] for entry in results["episodes"]] == [17, 17, 17, 20]
    expected = wilson(3, 4)
    assert results["success"] == {
        "successes": 3,
        "episodes": 4,
        "rate": 0.75,
        "low": expected.low,
        "high": expected.high,
    }
    assert "3 of 4, 75 %" in done.stdout
    report = json.loads((checkout.parent / "report.json").read_text())["tasks"]["click_bell"]
    assert report["success"] == results["success"]
    assert report["skipped"] == 2
    # Three chunks an episode; the first has one frame, the others two: one after every fourth action.
    assert sum(engine.batches) == 4 * 3
    words = {entry["instruction"] for entry in results["episodes"]}
    assert words <= {"stack the bell with the left arm", "use the left arm for the bell"}


def test_success_counts_at_any_physics_step_and_frames_are_not_rendered_in_between(checkout: Path, engine: FakeEngine):
    # `observations` counts get_obs of the toy: 1 + 2 + 2 frames for the policy, one by take_action at success.
    count = (
        "import envs._base_task as b\n"
        "seen = []\n"
        "b.Base_Task.close_env = lambda self, **_: seen.append((self.take_action_cnt, self.observations))\n"
    )
    before = f"import os; sys.path.insert(0, {str(checkout)!r}); {'; '.join(count.splitlines())}"
    with serving(engine, SPEC) as server:
        done = _evaluate(checkout, server, "--episodes", "1", before=before, after="print('SEEN', seen)")
    assert done.returncode == 0, done.stderr
    assert "SEEN [(0, 0), (17, 6)]" in done.stdout


def test_an_interrupted_evaluation_goes_on(checkout: Path, engine: FakeEngine):
    with serving(engine, SPEC) as server:
        assert _evaluate(checkout, server, "--episodes", "1").returncode == 0
        calls = sum(engine.batches)
        done = _evaluate(checkout, server, "--episodes", "2")
        assert sum(engine.batches) == 2 * calls
        assert [entry["seed"] for entry in _results(checkout)["episodes"]] == [100000, 100002]
        assert "seed 100000" not in done.stdout
        other = _evaluate(checkout, server, "--episodes", "2", "--seed", "1")
    assert other.returncode == 2
    assert "holds another evaluation" in other.stderr


def test_hard_takes_unseen_instructions_as_its_file_says(checkout: Path, engine: FakeEngine):
    with serving(engine, SPEC) as server:
        done = _evaluate(checkout, server, "--episodes", "1", "--task-config", "demo_randomized")
    assert done.returncode == 0, done.stderr
    results = _results(checkout, "click_bell_demo_randomized_unseen")
    assert results["episodes"][0]["instruction"] == "please click_bell"


def test_a_server_that_refuses_ends_the_evaluation_and_costs_no_episode(checkout: Path, engine: FakeEngine):
    with serving(engine, SPEC, token="secret") as server:
        done = _evaluate(checkout, server, "--episodes", "1")
    assert done.returncode == 2
    assert "does not answer as it should" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout.parent / "results").exists() or not _results(checkout)["episodes"]


def test_no_server(checkout: Path):
    done = inside(
        checkout, "eval", "--task", "click_bell", "--url", "ws://127.0.0.1:9", "--wait", "0", "--out", "results"
    )
    assert done.returncode == 2
    assert "start `aim serve`" in done.stderr
