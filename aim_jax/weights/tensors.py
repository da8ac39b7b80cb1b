"""Tensors in foreign files, found without loading them: name, dtype, shape and where the bytes lie."""

from __future__ import annotations

import json
import math
import os
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from aim_jax.errors import AimError
from aim_jax.files import read_json

SAFETENSORS_DTYPES = {
    "F64": np.dtype(np.float64),
    "F32": np.dtype(np.float32),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "I64": np.dtype(np.int64),
    "I32": np.dtype(np.int32),
}
_LARGEST_HEADER = 100_000_000


@dataclass(frozen=True)
class TensorRef:
    """A tensor that lies uncompressed in a file.

    Attributes:
        name: its name in the checkpoint.
        file: the file.
        offset: position of its first byte.
        dtype: element type.
        shape: shape; elements are in C order.
    """

    name: str
    file: Path
    offset: int
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return math.prod(self.shape) * self.dtype.itemsize

    def read(self, rows: slice | None = None) -> np.ndarray:
        """The tensor, or some of its rows, memory-mapped; the pages go when the array goes."""
        start, stop = (rows.start, rows.stop) if rows is not None else (0, self.shape[0] if self.shape else 1)
        shape = (stop - start, *self.shape[1:]) if self.shape else ()
        if not math.prod(shape):
            return np.empty(shape, self.dtype)
        row_bytes = self.nbytes // self.shape[0] if self.shape else 0
        return np.memmap(self.file, self.dtype, "r", self.offset + start * row_bytes, shape)


def read_safetensors(file: Path) -> list[TensorRef]:
    """The tensors of a safetensors file, from its header alone.

    Raises:
        AimError: the file is no safetensors file, is cut short, or names a tensor twice.
    """
    size = file.stat().st_size
    with open(file, "rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8).ljust(8, b"\0"))
        text = stream.read(length) if 0 < length <= min(_LARGEST_HEADER, size) else b""
    try:
        header = json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, file))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _damaged(file, "its header cannot be read") from error
    refs = [_ref(file, name, entry, 8 + length) for name, entry in header.items() if name != "__metadata__"]
    end = max((ref.offset + ref.nbytes for ref in refs), default=8 + length)
    if end != size:
        raise _damaged(file, f"{size:,} bytes instead of {end:,}")
    return refs


def _unique(pairs: list[tuple[str, Any]], file: Path) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise _duplicate(next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i])), [file])
    return out


def _ref(file: Path, name: str, entry: Mapping[str, Any], start: int) -> TensorRef:
    dtype = SAFETENSORS_DTYPES.get(entry["dtype"])
    if dtype is None:
        raise AimError(
            f"{file.name} holds {name} in a dtype that cannot be converted",
            wanted=f"one of {', '.join(SAFETENSORS_DTYPES)}",
            got=entry["dtype"],
            remedy="take the unquantised checkpoint",
        )
    begin, end = entry["data_offsets"]
    ref = TensorRef(name, file, start + begin, dtype, tuple(entry["shape"]))
    if end - begin != ref.nbytes:
        raise _damaged(file, f"{name} has {end - begin:,} bytes for shape {ref.shape}")
    return ref


def _damaged(file: Path, what: str) -> AimError:
    return AimError(
        f"{file} is damaged or was not downloaded completely", got=what, remedy="delete it and download it again"
    )


def _duplicate(name: str, files: list[Path]) -> AimError:
    return AimError(
        f"The tensor {name} occurs twice",
        got=" and ".join(sorted({file.name for file in files})),
        remedy="remove files that do not belong to the checkpoint: one layout, one set of shards",
    )


def collect(refs: Iterable[TensorRef]) -> dict[str, TensorRef]:
    """Tensors by name.

    Raises:
        AimError: a name occurs twice.
    """
    out: dict[str, TensorRef] = {}
    for ref in refs:
        if ref.name in out:
            raise _duplicate(ref.name, [out[ref.name].file, ref.file])
        out[ref.name] = ref
    return out


def read_shards(folder: Path) -> dict[str, TensorRef]:
    """All tensors of the safetensors files of a folder, checked against the index file where there is one.

    Raises:
        AimError: a shard is missing or damaged, or the index and the shards disagree.
    """
    indices = sorted(folder.glob("*.safetensors.index.json"))
    if not indices:
        return collect(ref for file in sorted(folder.glob("*.safetensors")) for ref in read_safetensors(file))
    if len(indices) > 1:
        raise AimError(
            f"{folder} holds several checkpoints",
            got=", ".join(index.name for index in indices),
            remedy="leave one index file and its shards in the folder",
        )
    return _read_indexed(folder, indices[0])


def _read_indexed(folder: Path, index: Path) -> dict[str, TensorRef]:
    weight_map = read_json(index).get("weight_map", {})
    files = sorted(set(weight_map.values()))
    if missing := [name for name in files if not (folder / name).is_file()]:
        raise AimError(
            f"Shards named in {index.name} are missing",
            got=", ".join(missing),
            remedy=f"download the missing files into {folder}",
        )
    found = collect(ref for name in files for ref in read_safetensors(folder / name))
    listed = {name: ref for name, ref in found.items() if weight_map.get(name) == ref.file.name}
    if wrong := sorted((weight_map.keys() | found.keys()) - listed.keys()):
        raise AimError(
            f"{index.name} and the shards disagree about {len(wrong)} tensors",
            got=", ".join(wrong[:5]),
            remedy="download the index file and all shards again, from one revision",
        )
    return found


def count_indices(names: Iterable[str], pattern: str) -> int:
    """One more than the largest index that `pattern` captures at the beginning of a name."""
    return 1 + max((int(match[1]) for name in names if (match := re.match(pattern, name))), default=-1)


class SafetensorsWriter:
    """A safetensors file whose tensors may be written in any order, and by several threads at once.

    The header is written first, so every shape and dtype must be known; the file is only whole once every tensor has
    been put, which the caller sees to by writing to a temporary path.
    """

    def __init__(self, file: Path, tensors: Mapping[str, tuple[np.dtype, tuple[int, ...]]]) -> None:
        names = {dtype: name for name, dtype in SAFETENSORS_DTYPES.items()}
        header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
        self._offsets: dict[str, int] = {}
        end = 0
        for name, (dtype, shape) in tensors.items():
            start, end = end, end + math.prod(shape) * dtype.itemsize
            header[name] = {"dtype": names[dtype], "shape": list(shape), "data_offsets": [start, end]}
            self._offsets[name] = start
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        self._start = 8 + len(text)
        self._file = open(file, "wb")  # noqa: SIM115  closed by `close`
        self._file.write(struct.pack("<Q", len(text)) + text)
        self._file.flush()
        self._file.truncate(self._start + end)

    def put(self, name: str, array: np.ndarray, byte_offset: int = 0) -> None:
        """Writes a tensor, or the part of it that begins `byte_offset` bytes in."""
        write_at(self._file.fileno(), array, self._start + self._offsets[name] + byte_offset)

    def close(self) -> None:
        """Flushes and closes the file."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def write_at(file: int, array: np.ndarray, offset: int) -> None:
    """Writes an array's bytes at a place in an open file (its descriptor); threads do not disturb each other."""
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    while data:
        written = os.pwrite(file, data, offset)  # the kernel takes at most 2 GiB at once
        data, offset = data[written:], offset + written
