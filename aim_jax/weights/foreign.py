"""Writes a network in a foreign layout, tensor by tensor: sharded safetensors with an index, or one `.pth` file."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aim_jax.errors import AimError
from aim_jax.files import require_space, write_json
from aim_jax.weights.configs import write_config
from aim_jax.weights.layouts import Layout
from aim_jax.weights.pickles import read_pth
from aim_jax.weights.tensors import SafetensorsWriter, write_at
from aim_jax.weights.workers import in_order

SHARD_BYTES = 5 * 10**9
"""Largest shard: what huggingface_hub splits at."""
TensorSpecs = Mapping[str, tuple[np.dtype, tuple[int, ...]]]
_PTH_NAMES = {"vae": "Wan2.2_VAE.pth", "text_encoder": "models_t5_umt5-xxl-enc-bf16.pth"}


@dataclass(frozen=True)
class Part:
    """A tensor, or the part of it that begins `byte_offset` bytes in; `load` gives the values when they are needed."""

    name: str
    load: Callable[[], np.ndarray]
    byte_offset: int = 0


def write_foreign(
    out: Path,
    layout: Layout,
    config: Any,
    tensors: TensorSpecs,
    parts: Iterable[Part],
    *,
    shard_bytes: int = SHARD_BYTES,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Path]:
    """Writes a network and what its library needs beside it.

    Args:
        out: folder of the whole checkpoint; the network goes where its layout has it.
        layout: names and places.
        config: the network's configuration.
        tensors: dtype and shape of every tensor, in the order of the files.
        parts: the values, in any order; together they must cover every tensor.
        shard_bytes: largest file.
        progress: is told the bytes written.

    Returns:
        The files, in their final places. They appear there only when all are written, the index last.

    Raises:
        AimError: a checkpoint of this network is there already, or there is no room.
    """
    _require_absent(out / layout.folder, layout)
    total = sum(dtype.itemsize * math.prod(shape) for dtype, shape in tensors.values())
    require_space(out, total * 1.01 / 2**30)
    folder = out / layout.folder
    partial = out / f".{layout.component}.export"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    if layout.name == "original" and layout.component != "dit":
        names = [_write_pth(partial, _PTH_NAMES[layout.component], tensors, parts, progress)]
    else:
        names = _write_shards(partial, layout, tensors, parts, shard_bytes, progress)
        write_json(partial / "config.json", write_config(layout, config))
        names.insert(0, "config.json")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        os.replace(partial / name, folder / name)
    shutil.rmtree(partial)
    return [folder / name for name in names]


def _require_absent(folder: Path, layout: Layout) -> None:
    """Shards of an earlier export that this one does not overwrite would be taken for part of it."""
    name = _PTH_NAMES.get(layout.component) if layout.name == "original" else None
    found = sorted(path.name for path in folder.glob(name or f"{_stem(layout)}*.safetensors*"))
    if found:
        raise AimError(
            f"{folder} holds a {layout.component} already",
            got=", ".join(found[:4]),
            remedy="choose another output folder, or delete these files",
        )


def _stem(layout: Layout) -> str:
    return "model" if layout.component == "text_encoder" else "diffusion_pytorch_model"


def _write_shards(
    folder: Path,
    layout: Layout,
    tensors: TensorSpecs,
    parts: Iterable[Part],
    shard_bytes: int,
    progress: Callable[[int], None],
) -> list[str]:
    stem = _stem(layout)
    groups = _group(tensors, shard_bytes)
    if len(groups) == 1:
        names = [f"{stem}.safetensors"]
    else:
        names = [f"{stem}-{i + 1:05}-of-{len(groups):05}.safetensors" for i in range(len(groups))]
    place = {name: file for file, group in zip(names, groups, strict=True) for name in group}
    writers = {
        file: SafetensorsWriter(folder / file, {name: tensors[name] for name in group})
        for file, group in zip(names, groups, strict=True)
    }

    def write(part: Part) -> int:
        values = part.load()
        writers[place[part.name]].put(part.name, values, part.byte_offset)
        return values.nbytes

    for size in in_order(write, parts):
        progress(size)
    for writer in writers.values():
        writer.close()
    if len(groups) == 1:
        return names
    index = f"{stem}.safetensors.index.json"
    total = sum(dtype.itemsize * math.prod(shape) for dtype, shape in tensors.values())
    write_json(folder / index, {"metadata": {"total_size": total}, "weight_map": place})
    return [*names, index]


def _group(tensors: TensorSpecs, shard_bytes: int) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    filled = 0
    for name, (dtype, shape) in tensors.items():
        size = dtype.itemsize * math.prod(shape)
        if groups[-1] and filled + size > shard_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(name)
        filled += size
    return groups


def _write_pth(
    folder: Path, name: str, tensors: TensorSpecs, parts: Iterable[Part], progress: Callable[[int], None]
) -> str:
    """torch writes the file around tensors without content; their bytes are put in place one by one."""
    file = folder / name
    _write_hollow_pth(file, tensors)
    places = {ref.name: ref.offset for ref in read_pth(file)}
    with open(file, "r+b") as stream:

        def write(part: Part) -> int:
            values = part.load()
            write_at(stream.fileno(), values, places[part.name] + part.byte_offset)
            return values.nbytes

        for size in in_order(write, parts):
            progress(size)
        os.fsync(stream.fileno())
    return name


def _write_hollow_pth(file: Path, tensors: TensorSpecs) -> None:
    try:
        import torch
        from torch._subclasses.fake_tensor import FakeTensorMode
        from torch.serialization import skip_data
    except ImportError:
        raise AimError(
            "Writing a .pth file needs torch, which is not installed",
            remedy='pip install "aim-jax[oracle]", or export to the Diffusers layout',
        ) from None
    with FakeTensorMode():
        state = {name: torch.empty(shape, dtype=getattr(torch, dtype.name)) for name, (dtype, shape) in tensors.items()}
    with skip_data(materialize_fake_tensors=True):
        torch.save(state, file)
