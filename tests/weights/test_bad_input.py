"""Every way a download can be wrong ends in one clear error, and nothing that looks complete is left behind."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from aim_jax.cli import main
from aim_jax.errors import AimError
from aim_jax.weights import store
from aim_jax.weights.convert import convert
from aim_jax.weights.export import export
from aim_jax.weights.source import find_sources
from aim_jax.weights.tensors import SafetensorsWriter, read_safetensors
from tests.weights.synthetic_checkpoints import plan_of

F32 = np.dtype(np.float32)


@pytest.fixture
def transformer(write) -> Path:
    """The folder of a sharded Diffusers transformer."""
    return write("dit", "diffusers") / "transformer"


def edit_index(folder: Path, change) -> None:
    path = next(folder.glob("*.index.json"))
    index = json.loads(path.read_text())
    change(index["weight_map"])
    path.write_text(json.dumps(index))


def rewrite(file: Path, change) -> None:
    """Writes a shard again with other tensors: `change` edits {name: array}."""
    tensors = {ref.name: np.array(ref.read()) for ref in read_safetensors(file)}
    change(tensors)
    writer = SafetensorsWriter(file, {name: (value.dtype, value.shape) for name, value in tensors.items()})
    for name, value in tensors.items():
        writer.put(name, value)
    writer.close()


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


@pytest.mark.parametrize("keep", [0.0, 0.001, 0.5, 0.999])
def test_truncated_shard(transformer, keep):
    file = shards(transformer)[1]
    os.truncate(file, int(file.stat().st_size * keep))
    with pytest.raises(AimError, match=r"damaged or was not downloaded completely.*download it again"):
        plan_of(transformer.parent, "dit")


def test_missing_shard(transformer):
    shards(transformer)[2].unlink()
    with pytest.raises(AimError, match=r"Shards named in .* are missing.*00003-of"):
        plan_of(transformer.parent, "dit")


def test_missing_index_entry(transformer):
    edit_index(transformer, lambda entries: entries.pop("proj_out.bias"))
    with pytest.raises(AimError, match=r"disagree about 1 tensors.*proj_out.bias"):
        plan_of(transformer.parent, "dit")


def test_index_names_a_tensor_that_no_shard_has(transformer):
    edit_index(transformer, lambda entries: entries.update(ghost=shards(transformer)[0].name))
    with pytest.raises(AimError, match=r"disagree.*ghost"):
        plan_of(transformer.parent, "dit")


def test_missing_unexpected_and_mis_shaped_names_come_as_a_table(transformer):
    def change(tensors):
        tensors.pop("blocks.1.ffn.net.2.bias", None)
        if "proj_out.bias" in tensors:
            tensors["proj_out.bias"] = np.zeros((3,), np.float32)
            tensors["blocks.9.surplus"] = np.zeros((2,), np.float32)

    for file in shards(transformer):
        rewrite(file, change)
    next(transformer.glob("*.index.json")).unlink()
    with pytest.raises(AimError) as error:
        plan_of(transformer.parent, "dit")
    text = str(error.value)
    assert "1 missing, 1 unexpected, 1 mis-shaped" in text
    for row in (
        "missing     blocks.1.ffn.net.2.bias  wanted (48,)",
        "unexpected  blocks.9.surplus  got (2,)",
        "mis-shaped  proj_out.bias  wanted (192,), got (3,)",
    ):
        assert row in text


def test_same_tensor_in_two_shards(transformer):
    next(transformer.glob("*.index.json")).unlink()
    first = shards(transformer)[0]
    shutil.copy(first, transformer / "extra.safetensors")
    with pytest.raises(AimError, match=r"occurs twice.*extra.safetensors"):
        plan_of(transformer.parent, "dit")


def test_key_twice_in_one_header(tmp_path):
    entry = json.dumps({"dtype": "F32", "shape": [1], "data_offsets": [0, 4]})
    header = f'{{"a": {entry}, "a": {entry}}}'.encode()
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 4)
    with pytest.raises(AimError, match="The tensor a occurs twice"):
        read_safetensors(file)


def write_tensors(folder: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    writer = SafetensorsWriter(folder / "model.safetensors", {name: (F32, shape) for name, shape in shapes.items()})
    writer.close()


def test_lora(tmp_path):
    write_tensors(
        tmp_path, {"blocks.0.self_attn.q.lora_A.weight": (4, 8), "blocks.0.self_attn.q.lora_B.weight": (8, 4)}
    )
    with pytest.raises(AimError, match=r"is a LoRA.*fuse_lora"):
        find_sources(tmp_path)


def other_wan(dim: int, channels: int, **more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {
        "patch_embedding.weight": (dim, channels, 1, 2, 2),
        "patch_embedding.bias": (dim,),
        "blocks.0.self_attn.q.weight": (dim, dim),
        "blocks.0.ffn.0.bias": (dim,),
        "text_embedding.0.weight": (dim, 4096),
        "time_embedding.0.weight": (dim, 256),
        "head.head.bias": (64,),
        **more,
    }


@pytest.mark.parametrize(
    "shapes",
    [
        pytest.param(other_wan(5120, 16), id="14B"),
        pytest.param(other_wan(16, 16), id="2.1 latents"),
        pytest.param(other_wan(16, 48, **{"img_emb.proj.0.weight": (4,)}), id="image encoder"),
    ],
)
def test_other_wan_models(tmp_path, shapes):
    write_tensors(tmp_path, shapes)
    with pytest.raises(AimError, match=r"another model of the Wan family.*TI2V-5B"):
        find_sources(tmp_path)


def test_wan21_in_the_diffusers_layout(write):
    folder = write("vae", "diffusers") / "vae"
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"is_residual": False, "z_dim": 16}))
    with pytest.raises(AimError, match=r"VAE of another model.*z_dim 16"):
        find_sources(folder.parent, ["vae"])


def test_14b_in_the_diffusers_layout(transformer):
    config = json.loads((transformer / "config.json").read_text())
    (transformer / "config.json").write_text(
        json.dumps(config | {"num_attention_heads": 40, "attention_head_dim": 128})
    )
    with pytest.raises(AimError, match=r"another model of the Wan family.*5120 wide"):
        find_sources(transformer.parent, ["dit"])


def test_two_transformers(transformer):
    shutil.copytree(transformer, transformer.parent / "transformer_2")
    with pytest.raises(AimError, match="A14B"):
        find_sources(transformer.parent)


def test_folder_of_something_else(tmp_path):
    with pytest.raises(AimError, match="does not exist"):
        find_sources(tmp_path / "absent")
    with pytest.raises(AimError, match=r"holds no dit or vae or text_encoder.*an empty folder"):
        find_sources(tmp_path)
    write_tensors(tmp_path, {"foo.weight": (2,)})
    with pytest.raises(AimError, match=r"names of no layout.*foo.weight"):
        find_sources(tmp_path)


def test_quantised_dtype(tmp_path):
    header = json.dumps({"a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 4)
    with pytest.raises(AimError, match=r"dtype that cannot be converted.*F8_E4M3"):
        find_sources(tmp_path)


class Code:
    """A pickle that would run a command when loaded."""

    def __reduce__(self):
        return os.mkdir, ("ran-by-pickle",)


@pytest.mark.oracle
def test_pickle_with_code_is_refused_and_not_run(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    torch.save({"encoder.conv1.weight": Code()}, tmp_path / "Wan2.2_VAE.pth")
    with pytest.raises(AimError, match="could run code"):
        find_sources(tmp_path, ["vae"])
    assert not Path("ran-by-pickle").exists()


@pytest.mark.oracle
def test_truncated_pth_and_wan21_vae(write, tmp_path):
    torch = pytest.importorskip("torch")
    file = write("vae", "original") / "Wan2.2_VAE.pth"
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(AimError, match="not downloaded completely"):
        plan_of(file.parent, "vae")
    torch.save(
        {"encoder.conv1.weight": torch.zeros(96, 3, 3, 3, 3), "conv2.weight": torch.zeros(16, 16, 1, 1, 1)},
        tmp_path / "Wan2.1_VAE.pth",
    )
    with pytest.raises(AimError, match=r"VAE of another model.*16 latent channels"):
        find_sources(tmp_path, ["vae"])


def test_two_names_of_the_token_table_must_agree(write, tmp_path):
    folder = write("text_encoder", "diffusers", "float32") / "text_encoder"
    (file,) = shards(folder)
    rewrite(file, lambda tensors: tensors.update({"encoder.embed_tokens.weight": tensors["shared.weight"]}))
    convert(plan_of(folder.parent, "text_encoder"), tmp_path / "same")
    rewrite(file, lambda tensors: tensors.update({"encoder.embed_tokens.weight": tensors["shared.weight"] + 1}))
    with pytest.raises(AimError, match="two names of one tensor"):
        plan_of(folder.parent, "text_encoder")


def test_output_of_another_conversion_is_not_touched(write, tmp_path):
    source = write("dit", "diffusers")
    convert(plan_of(source, "dit"), tmp_path / "out")
    assert not convert(plan_of(source, "dit"), tmp_path / "out")
    with pytest.raises(AimError, match="made from another checkpoint or with other options"):
        convert(plan_of(source, "dit", "float32"), tmp_path / "out")


def test_no_space(write, tmp_path, monkeypatch):
    plan = plan_of(write("dit", "diffusers"), "dit")
    monkeypatch.setattr("aim_jax.files.free_gib", lambda _: 0.0)
    with pytest.raises(AimError, match="Too little room"):
        convert(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_disk_that_fills_up_on_the_way(write, tmp_path, monkeypatch, capsys):
    source, put = write("dit", "diffusers"), store.ChunkedCheckpoint.put

    def full(self, path, index, values):
        if path == "head/proj/kernel":
            raise OSError(errno.ENOSPC, "No space left on device", "chunk")
        put(self, path, index, values)

    monkeypatch.setattr(store.ChunkedCheckpoint, "put", full)
    assert main(["convert", "--source", str(source), "--out", str(tmp_path / "out")]) == 2
    assert "No room to write" in capsys.readouterr().err
    assert not (tmp_path / "out" / "dit").exists()


def test_disk_that_is_full_before_the_first_chunk_keeps_nothing(write, tmp_path, monkeypatch, capsys):
    source = write("dit", "diffusers")

    def full(self, path, leaf):
        raise OSError(errno.ENOSPC, "No space left on device", ".zarray")

    monkeypatch.setattr(store.ChunkedCheckpoint, "_describe", full)
    assert main(["convert", "--source", str(source), "--out", str(tmp_path / "out")]) == 2
    assert "No room to write" in capsys.readouterr().err
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


def test_pth_without_torch_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "Wan2.2_VAE.pth").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(AimError, match=r"needs torch, which is not installed.*aim-jax\[oracle\]"):
        find_sources(tmp_path, ["vae"])


def test_export_does_not_mix_with_what_is_there(write, tmp_path):
    convert(plan_of(write("text_encoder", "diffusers"), "text_encoder"), tmp_path / "out")
    back = tmp_path / "back"
    export(tmp_path / "out" / "text_encoder", back, "text_encoder", "diffusers", shard_bytes=2_000)
    before = {path: path.read_bytes() for path in back.rglob("*") if path.is_file()}
    with pytest.raises(AimError, match=r"holds a text_encoder already.*model-00001-of"):
        export(tmp_path / "out" / "text_encoder", back, "text_encoder", "diffusers")
    assert before == {path: path.read_bytes() for path in back.rglob("*") if path.is_file()}
