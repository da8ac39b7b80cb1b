"""What lies in a checkpoint, from its metadata alone: no array is read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aim_jax.errors import AimError
from aim_jax.files import read_json
from aim_jax.weights.params import flatten
from aim_jax.weights.pickles import read_pth
from aim_jax.weights.source import find_sources
from aim_jax.weights.tensors import read_safetensors


def checkpoints(path: Path) -> list[dict[str, Any]]:
    """One entry for each checkpoint at a path.

    Args:
        path: a safetensors or `.pth` file, a folder of numbered steps (converted or trained), a folder of such folders
            (what convert_weights.py wrote, or a run), or a downloaded checkpoint in a PyTorch layout.

    Raises:
        AimError: there is nothing of the kind, or it is damaged.
    """
    if path.is_file():
        refs = read_pth(path) if path.suffix == ".pth" else read_safetensors(path)
        return [{"path": path, "kind": "file", "items": {path.name: _tensors(_described(refs), path.stat().st_size)}}]
    if not path.is_dir():
        raise AimError(f"{path} does not exist", wanted="a checkpoint's file or folder")
    found = [_orbax(step) for folder in (path, *sorted(path.iterdir())) for step in _newest(folder)]
    return found or [_foreign(source) for source in find_sources(path)]


def _newest(folder: Path) -> Iterator[Path]:
    """The newest step in a folder; none where the folder holds no steps or is still being written."""
    if folder.name.startswith(".") or not folder.is_dir():
        return
    steps = [step for step in folder.iterdir() if step.name.isdigit() and (step / "params").is_dir()]
    yield from sorted(steps, key=lambda step: int(step.name))[-1:]


def _orbax(step: Path) -> dict[str, Any]:
    items, texts = {}, {}
    for folder in sorted(path for path in step.iterdir() if path.is_dir()):
        if (folder / "_METADATA").is_file():
            items[folder.name] = _tensors(_stored(folder), _size(folder))
        elif (folder / "metadata").is_file():
            texts[folder.name] = read_json(folder / "metadata")
            items[folder.name] = {"entries": sorted(texts[folder.name]), "disk_bytes": _size(folder)}
    config, meta = texts.get("config", {}), texts.get("meta", {})
    trained = texts.get("bundle", {})
    return {
        "path": step.parent,
        "kind": f"converted {config['component']}" if "component" in config else "trained",
        "step": int(step.name),
        "items": items,
        "config": config.get("model") or trained.get("experiment", {}),
        "made_from": {name: config[name] for name in ("layout", "dtype") if name in config},
        "sources": meta.get("sources", []),
        "carried": meta.get("carried", []),
        "versions": trained.get("versions", {}),
    }


def _stored(folder: Path) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    import orbax.checkpoint as ocp

    with ocp.StandardCheckpointer() as checkpointer:
        metadata: Any = checkpointer.metadata(folder.absolute())
    for name, leaf in flatten(metadata.item_metadata.tree).items():
        if hasattr(leaf, "shape"):
            yield name, str(leaf.dtype), tuple(leaf.shape)


def _foreign(source: Any) -> dict[str, Any]:
    refs = source.tensors.values()
    size = sum(file.stat().st_size for file in source.files)
    return {
        "path": source.where,
        "kind": f"{source.layout.name} {source.layout.component}",
        "items": {", ".join(file.name for file in source.files): _tensors(_described(refs), size)},
        "config": asdict(source.config),
    }


def _described(refs: Iterable[Any]) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    return ((ref.name.replace(".", "/"), str(ref.dtype), ref.shape) for ref in refs)


def _tensors(tensors: Iterable[tuple[str, str, tuple[int, ...]]], disk_bytes: int) -> dict[str, Any]:
    """Sums over (path, dtype, shape)."""
    parts, dtypes, count = Counter[str](), Counter[str](), 0
    for path, dtype, shape in tensors:
        count += 1
        parts[path.split("/")[0]] += math.prod(shape)
        dtypes[dtype] += math.prod(shape)
    return {
        "tensors": count,
        "parameters": sum(parts.values()),
        "parts": dict(parts),
        "dtypes": dict(dtypes),
        "disk_bytes": disk_bytes,
    }


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def plain_config(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """A configuration's entries as (dotted name, value), long lists shortened."""
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from plain_config(value, f"{prefix}{name}.")
        else:
            long = isinstance(value, (list, tuple)) and len(value) > 8
            yield f"{prefix}{name}", f"{len(value)} values" if long else value
