"""The soak bench finds what it looks for, on a policy that needs no model."""

from __future__ import annotations

import numpy as np

from aim_jax.policy.bench.soak import expect, make_scripts, soak
from tests.policy.fake_engine import FakeEngine
from tests.policy.serving import SPEC, serving, url

SESSIONS, CHUNKS = 6, 3


def scripts_for(engine):
    scripts = make_scripts(engine.facts, SESSIONS, CHUNKS, seed=0)
    engine.warm()
    expect(engine, scripts)
    return scripts


def test_many_sessions_and_an_attacker():
    engine = FakeEngine(SPEC.hw)
    scripts = scripts_for(engine)
    with serving(engine, max_bytes=2**20) as server:
        report = soak(url(server), scripts, seconds=0.5, hostile=40, max_bytes=2**20)
    summary = report.summary()
    assert (summary["errors"], summary["mixed_up"], summary["hostile_unexplained"]) == (0, 0, [])
    assert summary["hostile_sent"] == 40
    assert summary["answers"] >= SESSIONS * CHUNKS
    assert summary["episodes"] >= SESSIONS
    assert summary["latency_p50_seconds"] > 0


def test_a_mix_up_is_noticed():
    engine = FakeEngine(SPEC.hw)
    scripts = scripts_for(engine)
    scripts[2].expected[1] = scripts[2].expected[1] + np.float32(0.5)
    with serving(engine) as server:
        report = soak(url(server), scripts, seconds=0.1)
    assert report.mixed_up > 0
    assert report.errors == []
