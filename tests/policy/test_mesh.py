"""A policy over a mesh gives the numbers of one device."""

from __future__ import annotations

from dataclasses import replace

import jax

from aim_jax.policy.bench.infer import Case, against_one_device, variant
from tests.policy.tiny_agent import SPEC, TableText, tiny_agent, vae


def test_a_mesh_gives_the_numbers_of_one_device():
    case = Case(2, 3, 2, 2, "float32", (2, 2))
    agent = tiny_agent()
    spread, single = (
        variant(agent, case, vae(), TableText()),
        variant(agent, replace(case, mesh=(1, 1)), vae(), TableText()),
    )
    assert any(not x.sharding.is_fully_replicated for x in jax.tree.leaves(spread.params))
    found = against_one_device(spread, single, case, SPEC.hw)
    assert found["max_relative_difference"] < 1e-4
    assert found["collectives"]
