"""Verification: passes on what was converted, points at what was changed afterwards."""

from __future__ import annotations

import json

import numpy as np
import pytest

from aim_jax.cli import main
from aim_jax.weights.convert import convert
from aim_jax.weights.forward import compare_forward
from aim_jax.weights.verify import verify
from tests.weights.synthetic_checkpoints import plan_of


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("component", "layout"),
    [("dit", "original"), ("dit", "lingbot"), ("text_encoder", "original"), ("vae", "diffusers")],
)
def test_every_layer_puts_out_what_the_library_does(write, tmp_path, component, layout):
    plan = plan_of(write(component, layout, "bfloat16"), component)
    convert(plan, tmp_path)
    rows = list(compare_forward(plan, tmp_path / component))
    layers = {"dit": 2 + 3, "text_encoder": 1 + 2, "vae": 2 + 2 * (3 + 4) + 2}[component]
    assert len(rows) == layers
    assert all(row.ok for row in rows), rows


@pytest.mark.oracle
def test_a_changed_layer_is_found_where_it_is(write, tmp_path, capsys):
    source = write("dit", "diffusers", "float32")
    plan = plan_of(source, "dit")
    convert(plan, tmp_path)
    chunk = tmp_path / "dit" / "0" / "params" / "blocks.ffn.up.kernel" / "1.0.0"
    values = np.fromfile(chunk, np.float32)
    values[7] += 0.5
    values.tofile(chunk)
    assert [row.name for row in verify(plan, tmp_path / "dit") if not row.ok] == ["blocks/ffn/up/kernel"]
    assert [row.name for row in compare_forward(plan, tmp_path / "dit") if not row.ok] == ["blocks.1"]
    capsys.readouterr()
    flags = ["--source", str(source), "--out", str(tmp_path), "--components", "dit", "--verify"]
    assert main(["convert", *flags, "--json", "-"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert not result["ok"]
    assert [row["name"] for row in result["verified"] if not row["ok"]] == ["dit/blocks/ffn/up/kernel"]
