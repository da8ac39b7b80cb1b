"""Step times, MFU and goodput from a clock that the test turns."""

import pytest

from aim_jax.parallel.chips import CHIPS
from aim_jax.training.clock import Clock, Ledger


class Time:
    def __init__(self):
        self.at = 100.0

    def __call__(self):
        return self.at

    def passes(self, seconds):
        self.at += seconds


def test_figures_of_a_step():
    now = Time()
    clock = Clock(samples=8, tokens=100, flops=4.59e12, devices=4, kind="TPU v5p", now=now)
    now.passes(50)  # compilation
    clock.warmed()
    for _ in range(2):
        clock.waiting(lambda: now.passes(0.5))
        now.passes(1.5)
    clock.paused(lambda: now.passes(30))
    got = clock.read()
    assert got["perf/step_time"] == pytest.approx(2.0)
    assert got["perf/samples_per_second"] == pytest.approx(4.0)
    assert got["perf/samples_per_second_per_chip"] == pytest.approx(1.0)
    assert got["perf/tokens_per_second"] == pytest.approx(400.0)
    assert got["perf/input_bound"] == pytest.approx(0.25)
    assert got["perf/mfu"] == pytest.approx(0.01)  # one sample a second and chip: 4.59 of 459 TFLOP/s
    assert clock.productive == pytest.approx(4.0)
    assert clock.read() == {}


def test_devices_are_counted_as_chips():
    chip = CHIPS["7x"]
    assert chip.devices == 2
    now = Time()
    clock = Clock(samples=2, tokens=1, flops=chip.flops, devices=4, kind=chip.kinds[0], now=now)
    clock.waiting(lambda: now.passes(1))
    assert clock.read()["perf/mfu"] == pytest.approx(1.0)


def test_nothing_is_claimed_of_a_cpu():
    now = Time()
    clock = Clock(samples=1, tokens=1, flops=1e9, devices=1, kind="cpu", now=now)
    clock.waiting(lambda: now.passes(1))
    got = clock.read()
    assert "perf/mfu" not in got
    assert got["perf/tflops_per_chip"] == pytest.approx(1e-3)


def test_goodput_over_a_kill(tmp_path):
    now = Time()
    path = tmp_path / "goodput.json"
    first = Ledger(path, 0, now)
    now.passes(60)
    first.save(10, 40.0)  # 20 s went into starting
    now.passes(40)  # more steps, lost: the run is killed before the next checkpoint
    second = Ledger(path, 10, now)
    assert second.goodput(0.0) == pytest.approx(0.4)
    now.passes(100)
    second.save(20, 80.0)
    assert second.goodput(80.0) == pytest.approx(0.6)
    assert Ledger(path, 20, now).goodput(0.0) == pytest.approx(0.6)
    assert Ledger(path, 10, now).goodput(0.0) == pytest.approx(0.2)
