"""Expected times grow with the work and are said in round words."""

from dataclasses import replace
from pathlib import Path

from aim_jax.config import ExperimentConfig
from aim_jax.pipeline.demo import demo_phases
from aim_jax.pipeline.expectations import Expectations
from aim_jax.training.config import TrainConfig


def test_more_work_is_announced_as_longer() -> None:
    short, long = (ExperimentConfig("t", train=TrainConfig(steps=n, batch=8)) for n in (50, 1000))
    assert Expectations(short).stage1() == "about 1 min 50 s"
    assert Expectations(long).stage1() == "about 17 min 00 s"
    few, many = (replace(short, collect=replace(short.collect, episodes=n)) for n in (10, 200))
    assert Expectations(few).collect() == "about 20 s"
    assert Expectations(many).collect() == "about 2 min 00 s"


def test_every_phase_says_how_long_it_takes(tmp_path: Path) -> None:
    for phase in demo_phases(ExperimentConfig("t"), tmp_path):
        assert "about" in phase.expected or "a few seconds" in phase.expected, phase.name
