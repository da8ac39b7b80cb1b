"""An Orbax checkpoint that is filled chunk by chunk, so that it never has to fit in memory.

Orbax itself writes the frame (structure, metadata, commit marks) around placeholders; the arrays are then laid down as
uncompressed Zarr chunks, one file per layer. A chunk file appears whole or not at all, so what is there need not be
written again after an interruption. The folder gets its final name when it is complete.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aim_jax.errors import AimError
from aim_jax.files import read_json, sync_tree, write_json
from aim_jax.weights.params import unflatten
from aim_jax.weights.plan import Leaf

_STAMP = "conversion.json"
_STEP = "0"


class ChunkedCheckpoint:
    """A checkpoint under construction in a hidden folder beside its final place.

    Args:
        final: the folder that the finished checkpoint will be.
        leaves: every parameter by path.
        fingerprint: of the plan; a partial checkpoint of another plan is not continued.
    """

    def __init__(self, final: Path, leaves: Mapping[str, Leaf], fingerprint: str) -> None:
        self.final, self.leaves, self.fingerprint = final, leaves, fingerprint
        self.folder = final.with_name(f".{final.name}.partial")

    def open(self, config: Mapping[str, Any]) -> None:
        """Continues an interrupted conversion, or begins one.

        Args:
            config: written as the checkpoint's item `config`.

        Raises:
            AimError: an interrupted conversion of another plan is in the way.
        """
        stamp = self.folder / _STAMP
        if stamp.is_file():
            if read_json(stamp)["fingerprint"] != self.fingerprint:
                raise AimError(
                    f"{self.folder} holds an interrupted conversion of another checkpoint or with other options",
                    remedy="run that command again to finish it, or delete the folder",
                )
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        try:
            self._frame(config)
            write_json(stamp, {"fingerprint": self.fingerprint})
        except BaseException:  # without its stamp the frame could not be continued
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def has(self, path: str, index: int) -> bool:
        """Whether a chunk has been written; one that a power cut left short has not."""
        file, leaf = self._chunk_file(path, index), self.leaves[path]
        return file.is_file() and file.stat().st_size == math.prod(leaf.chunk) * leaf.dtype.itemsize

    def put(self, path: str, index: int, values: np.ndarray) -> None:
        """Writes chunk `index` along the first axis of a parameter; `values` are C-contiguous, in its dtype."""
        file = self._chunk_file(path, index)
        temporary = file.with_name(f".{file.name}.partial")
        with open(temporary, "wb") as stream:
            stream.write(values.reshape(-1).view(np.uint8).data)
        os.replace(temporary, file)

    def close(self, meta: Mapping[str, Any]) -> None:
        """Writes the item `meta` and, once everything is on the disk, gives the folder its final name."""
        write_json(self.folder / _STEP / "meta" / "metadata", meta)
        sync_tree(self.folder)
        (self.folder / _STAMP).unlink()
        os.rename(self.folder, self.final)

    def _leaf_folder(self, path: str) -> Path:
        return self.folder / _STEP / "params" / path.replace("/", ".")

    def _chunk_file(self, path: str, index: int) -> Path:
        zeros = [0] * (len(self.leaves[path].shape) - 1)
        return self._leaf_folder(path) / ".".join(map(str, [index, *zeros]))

    def _frame(self, config: Mapping[str, Any]) -> None:
        import orbax.checkpoint as ocp

        placeholders = {path: np.zeros((1,) * len(leaf.shape), leaf.dtype) for path, leaf in self.leaves.items()}
        handlers = {
            "params": ocp.StandardCheckpointHandler(use_ocdbt=False),
            "config": ocp.JsonCheckpointHandler(),
            "meta": ocp.JsonCheckpointHandler(),
        }
        options = ocp.CheckpointManagerOptions(enable_async_checkpointing=False)
        items = ocp.args.Composite(
            params=ocp.args.StandardSave(unflatten(placeholders)),  # pyright: ignore[reportCallIssue]
            config=ocp.args.JsonSave(dict(config)),  # pyright: ignore[reportCallIssue]
            meta=ocp.args.JsonSave({}),  # pyright: ignore[reportCallIssue]
        )
        with ocp.CheckpointManager(self.folder.absolute(), item_handlers=handlers, options=options) as manager:
            manager.save(int(_STEP), args=items)
        for path, leaf in self.leaves.items():
            self._describe(path, leaf)

    def _describe(self, path: str, leaf: Leaf) -> None:
        """Replaces a placeholder by the description of the real array; its chunks are still to come."""
        folder = self._leaf_folder(path)
        for chunk in folder.glob("[0-9]*"):
            chunk.unlink()
        name = leaf.dtype.str if leaf.dtype.isbuiltin == 1 else leaf.dtype.name
        array = {"shape": leaf.shape, "chunks": leaf.chunk, "dtype": name, "order": "C", "dimension_separator": "."}
        fixed = {"zarr_format": 2, "compressor": None, "filters": None, "fill_value": None}
        (folder / ".zarray").write_text(json.dumps({**array, **fixed}))
