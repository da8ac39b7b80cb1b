"""`aim inspect`: what it prints is what is there."""

import json

import jax

from aim_jax.cli import main
from aim_jax.config_io import load_config
from aim_jax.models.aim.model import abstract_parameters


def test_model_counts_every_parameter(capsys):
    assert main(["inspect", "model", "--config", "configs/wan22_5b.py", "--json", "-"]) == 0
    got = json.loads(capsys.readouterr().out)
    wan = 4_999_787_712  # docs of the checkpoint, and diffusers' own count
    assert got["parameters"]["wan"] == wan
    tops = [count for name, count in got["parameters"].items() if "/" not in name]
    assert got["all"] == sum(tops) > wan + 1.5e9
    assert got["window"]["latent_frames"] == 9


def test_sharding_names_every_parameter(capsys):
    arguments = ["inspect", "sharding", "--config", "configs/wan22_5b.py", "--devices", "64"]
    assert main([*arguments, "--json", "-"]) == 0
    got = json.loads(capsys.readouterr().out)
    leaves = jax.tree.leaves(abstract_parameters(load_config("configs/wan22_5b.py").model))
    assert len(got["parameters"]) == len(leaves)
    assert got["mesh"] == {"data": 1, "fsdp": 64, "tensor": 1, "context": 1}
    assert got["bytes_per_device"] < 1.1 * got["bytes"] / 64 + 2**26
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "wan/blocks/ffn/up/kernel" in text
    assert "(layers, embed, mlp) -> (-, fsdp, -)" in text


def test_a_mesh_that_does_not_fit_is_refused(capsys):
    arguments = ["inspect", "sharding", "--config", "configs/wan22_5b.py", "--devices", "60"]
    assert main([*arguments, "--parallel.mesh.tensor", "7"]) == 2
    assert "does not fit the devices" in capsys.readouterr().err
    assert main([*arguments, "--parallel.mesh.tensor", "5"]) == 2
    assert "heads: 1, 2, 3, 4, 6, 8, 12, 24. Got: tensor 5" in capsys.readouterr().err
