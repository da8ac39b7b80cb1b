"""From a converted (or trained) checkpoint back to the layouts of the PyTorch libraries."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aim_jax.dataclass_json import from_plain
from aim_jax.errors import AimError
from aim_jax.models.converted import read_item, step_folder
from aim_jax.weights.configs import CONFIG_TYPES
from aim_jax.weights.convert import CARRIED_FILE
from aim_jax.weights.foreign import SHARD_BYTES, Part, write_foreign
from aim_jax.weights.layouts import ComponentName, LayoutName, abstract_network, find_layout
from aim_jax.weights.params import shapes
from aim_jax.weights.plan import CHUNK_BYTES, chunk_shape
from aim_jax.weights.rules import Assignment, assign, contiguous
from aim_jax.weights.tensors import TensorRef, read_safetensors


@dataclass(frozen=True)
class StoredParams:
    """Parameters of a checkpoint on disk, opened one by one.

    Attributes:
        folder: the Orbax item that holds them.
    """

    folder: Path

    @functools.cache  # noqa: B019  one instance per run, a few hundred small handles
    def open(self, path: str) -> Any:
        """A parameter as a TensorStore array: indexing it reads nothing until `.read()`."""
        import tensorstore as ts

        name = path.replace("/", ".")
        if (self.folder / "manifest.ocdbt").exists():
            store: Any = {"driver": "ocdbt", "base": f"file://{self.folder}/", "path": f"{name}/"}
        else:
            store = {"driver": "file", "path": str(self.folder / name)}
        try:
            return ts.open({"driver": "zarr", "kvstore": store}, read=True, open=True).result()
        except (ValueError, KeyError) as error:
            raise AimError(f"{self.folder} holds no parameter {path}", got=str(error).split("\n")[0]) from error

    def read(self, item: Assignment, rows: slice | None = None) -> np.ndarray:
        """The value that an assignment's tensor became, without the leading axis of a stacked parameter."""
        array = self.open(item.target)
        if item.layer is not None:
            array = array[item.layer]
        return np.asarray((array if rows is None else array[rows]).read().result())


def export(
    converted: Path,
    out: Path,
    component: ComponentName,
    layout_name: LayoutName,
    progress: Callable[[int], None] = lambda _: None,
    *,
    shard_bytes: int = SHARD_BYTES,
) -> list[Path]:
    """Writes a converted network in a foreign layout.

    Args:
        converted: folder of the converted network.
        out: folder for the whole exported checkpoint.
        component: the network.
        layout_name: whose names and files.
        progress: is told the bytes written.
        shard_bytes: largest file.

    Raises:
        AimError: there is no checkpoint, or it lacks what the layout needs.
    """
    config = from_plain(CONFIG_TYPES[component], read_item(converted, "config")["model"])
    layout = find_layout(component, layout_name)
    params = StoredParams(step_folder(converted) / "params")
    items = assign(layout.rules(config), shapes(abstract_network(component, config)))
    carried = _carried(converted, layout.carried)
    dtypes = {path: np.dtype(params.open(path).dtype.numpy_dtype) for path in {item.target for item in items}}
    tensors = {item.source: (dtypes[item.target], item.shape) for item in items}
    tensors |= {ref.name: (ref.dtype, ref.shape) for ref in carried}

    parts = _parts(params, items, tensors, carried)
    return write_foreign(out, layout, config, tensors, parts, shard_bytes=shard_bytes, progress=progress)


def _parts(
    params: StoredParams, items: list[Assignment], tensors: dict[str, Any], carried: list[TensorRef]
) -> Iterator[Part]:
    for item in items:
        dtype, shape = tensors[item.source]
        for rows in row_slices(item, shape, dtype):
            offset = 0 if rows is None else rows.start * math.prod(shape[1:]) * dtype.itemsize
            yield Part(item.source, functools.partial(_load, params, item, rows), offset)
    for ref in carried:
        yield Part(ref.name, ref.read)


def _load(params: StoredParams, item: Assignment, rows: slice | None) -> np.ndarray:
    return contiguous(item.transform.inverse(params.read(item, rows)))


def row_slices(item: Assignment, shape: tuple[int, ...], dtype: np.dtype) -> Iterator[slice | None]:
    """How to read a parameter in parts that fit: layer by layer, or large unstacked ones by rows."""
    if (
        item.layer is not None
        or np.prod(shape) * dtype.itemsize <= CHUNK_BYTES
        or item.transform.source_shape(shape) != shape
    ):
        yield None
        return
    step = chunk_shape(shape, dtype, stacked=False)[0]
    for start in range(0, shape[0], step):
        yield slice(start, start + step)


def _carried(converted: Path, pattern: str) -> list[TensorRef]:
    if not pattern:
        return []
    file = converted / CARRIED_FILE
    if not file.is_file():
        raise AimError(
            f"{converted} was not made from a LingBot-VA checkpoint and lacks its action path",
            remedy="export to the Diffusers layout instead",
        )
    return read_safetensors(file)
