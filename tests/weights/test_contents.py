"""`aim inspect checkpoint` on every kind of checkpoint."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from aim_jax.cli import main
from aim_jax.weights.convert import convert
from tests.weights.synthetic_checkpoints import plan_of


def inspect(path, capsys) -> list[dict]:
    capsys.readouterr()
    assert main(["inspect", "checkpoint", str(path), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)["checkpoints"]


def test_a_converted_folder_tells_what_it_holds_and_came_from(write, tmp_path, capsys):
    source = write("dit", "lingbot")
    plan = plan_of(source, "dit")
    convert(plan, tmp_path / "out")
    (found,) = inspect(tmp_path / "out", capsys)
    assert (found["kind"], found["made_from"]) == ("converted dit", {"layout": "lingbot", "dtype": "source"})
    params = found["items"]["params"]
    wanted = sum(leaf.nbytes for leaf in plan.leaves.values())
    assert params["tensors"] == len(plan.leaves)
    assert params["parameters"] * 2 == wanted <= params["disk_bytes"]
    assert params["dtypes"] == {"bfloat16": params["parameters"]}
    assert sum(params["parts"].values()) == params["parameters"]
    assert found["config"]["dim"] == plan.source.config.dim
    assert len(found["carried"]) == len(plan.carried)
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in plan.source.files}
    assert {entry["file"]: entry["sha256"] for entry in found["sources"]} == hashes
    assert inspect(tmp_path / "out" / "dit", capsys)[0]["items"] == found["items"]

    assert main(["inspect", "checkpoint", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert "params: 42 arrays" in text
    assert "dim = 48" in text
    assert next(iter(hashes.values())) in text


def test_a_trained_checkpoint(tmp_path, capsys):
    from aim_jax.training.checkpoint import Checkpoints

    store = Checkpoints(tmp_path / "run" / "checkpoints")
    params = {"wan": {"w": np.zeros((4, 3), np.float32)}, "action": {"b": np.zeros(5, np.float32)}}
    bundle = {"experiment": {"seed": 3, "model": {"dim": 8}}, "versions": {"jax": "1"}}
    for step in (1, 2):
        store.save(step, params=params, state={"params": params}, iterator={"at": step}, bundle=bundle)
    store.close()
    (found,) = inspect(tmp_path / "run", capsys)
    assert (found["kind"], found["step"], found["config"]["model"]["dim"]) == ("trained", 2, 8)
    assert found["items"]["params"]["parts"] == {"wan": 12, "action": 5}
    assert found["items"]["state"]["parameters"] == 17
    assert found["items"]["iterator"]["entries"] == ["at"]


def test_a_download_and_one_of_its_files(write, capsys):
    source = write("text_encoder", "diffusers")
    (found,) = inspect(source, capsys)
    (item,) = found["items"].values()
    assert (found["kind"], item["tensors"]) == ("diffusers text_encoder", 2 + 2 * 10)
    (file,) = (source / "text_encoder").glob("*.safetensors")
    (alone,) = inspect(file, capsys)
    assert next(iter(alone["items"].values())) == item


def test_nothing_to_inspect_is_one_clear_error(tmp_path, capsys):
    assert main(["inspect", "checkpoint", str(tmp_path / "absent")]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert main(["inspect", "checkpoint", str(tmp_path)]) == 2
    assert "an empty folder" in capsys.readouterr().err
