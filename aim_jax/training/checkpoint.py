"""Orbax checkpoints: parameters, optimiser, position in the data, configuration and statistics, all in one place."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from flax import nnx

from aim_jax.array_typing import PyTree
from aim_jax.errors import AimError
from aim_jax.files import require_space, without_full_disk, write_atomic, writing

CONFIG_ITEM = "config"

_METADATA_BYTES = 1 << 18
"""Room for what a checkpoint holds besides arrays."""

# Orbax logs the traceback of each of its threads before it raises; a full disk is told once, by `_saving`.
logging.getLogger("absl").addFilter(without_full_disk)


class Checkpoints:
    """A folder of checkpoints, numbered by step.

    Items: `params` (what is evaluated), `state` (what training goes on from), `iterator`, `config` and `bundle`
    (JSON: everything a policy needs besides parameters). A checkpoint is complete or absent.

    Args:
        folder: where they are.
        keep: newest checkpoints that are kept.
    """

    def __init__(self, folder: str | Path, keep: int = 2) -> None:
        self.folder = Path(folder).absolute()
        options = ocp.CheckpointManagerOptions(max_to_keep=keep, create=True, enable_async_checkpointing=True)
        self._manager = ocp.CheckpointManager(self.folder, options=options)

    def save(
        self, step: int, *, params: PyTree, state: PyTree, iterator: dict[str, Any], bundle: dict[str, Any]
    ) -> None:
        """Starts saving in the background; `wait` or the next save waits for it.

        Args:
            step: number of the checkpoint.
            params: pytree of parameters to evaluate.
            state: pytree from which training goes on.
            iterator: JSON-able state of the data iterator.
            bundle: JSON-able configuration, statistics and versions.

        Raises:
            AimError: there is no room for it, or the disk filled during the save before; what was begun is removed.
        """
        self.wait()  # what is being written takes room that still counts as free
        _require_room(self.folder, params, state)
        with _saving(self.folder):
            self._manager.save(
                step,
                args=ocp.args.Composite(
                    params=ocp.args.StandardSave(plain(params)),
                    state=ocp.args.StandardSave(plain(state)),
                    iterator=ocp.args.JsonSave(iterator),
                    bundle=ocp.args.JsonSave(bundle),
                ),
            )

    def latest(self) -> int | None:
        """Number of the newest complete checkpoint."""
        return self._manager.latest_step()

    def restore(self, step: int, *, state: PyTree) -> tuple[PyTree, dict[str, Any]]:
        """State and iterator state of a checkpoint.

        Args:
            step: which one.
            state: pytree of arrays or shapes (with shardings) to restore into.

        Raises:
            AimError: it belongs to a model of other shapes.
        """
        check_shapes(_stored_shapes(self.folder / str(step) / "state"), plain(state), self.folder / str(step))
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, plain(state))
        items = self._manager.restore(
            step,
            args=ocp.args.Composite(state=ocp.args.StandardRestore(abstract), iterator=ocp.args.JsonRestore()),
        )
        return unplain(state, items["state"]), items["iterator"]

    def iterator(self, step: int) -> dict[str, Any]:
        """Iterator state of a checkpoint alone."""
        return self._manager.restore(step, args=ocp.args.Composite(iterator=ocp.args.JsonRestore()))["iterator"]

    def bundle(self, step: int) -> dict[str, Any]:
        """The bundle of a checkpoint."""
        return self._manager.restore(step, args=ocp.args.Composite(bundle=ocp.args.JsonRestore()))["bundle"]

    def wait(self) -> None:
        """Returns when everything is on the disk; raises as `save`."""
        with _saving(self.folder):
            self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits and frees the manager's threads; raises as `save`."""
        with _saving(self.folder):
            self._manager.close()
        _remove_begun(self.folder)


def pack(folder: str | Path, out: str | Path, step: int | None = None) -> int:
    """Copies what acting needs, `params` and `bundle`, into a checkpoint folder of its own.

    Args:
        folder: of the checkpoints.
        out: the new folder; it must not hold a checkpoint yet.
        step: which checkpoint; the newest unless given.

    Returns:
        The number of the checkpoint.

    Raises:
        AimError: there is no such checkpoint, `out` is not empty, or there is no room for it.
    """
    folder, out = Path(folder).absolute(), Path(out).absolute()
    if out.exists() and any(out.iterdir()):
        raise AimError(f"The folder {out} is not empty", remedy="choose another output folder, or remove this one")
    with ocp.CheckpointManager(folder) as manager:
        number = _step(manager, folder, step)
    stored = _stored_shapes(folder / str(number) / "params")
    shapes = jax.tree.map(lambda x: _placed(jax.ShapeDtypeStruct(x.shape, x.dtype)), stored)
    items = _restore(folder, number, params=ocp.args.StandardRestore(shapes), bundle=ocp.args.JsonRestore())
    saved = {"params": ocp.args.StandardSave(items["params"]), "bundle": ocp.args.JsonSave(items["bundle"])}
    _require_room(out, items["params"])
    with _saving(out), ocp.CheckpointManager(out) as manager:
        manager.save(number, args=ocp.args.Composite(**saved))
    # Their presence is what counts. Orbax writes into them where the checkpoint was made, which is nobody's business.
    for mark in out.rglob("commit_success.txt"):
        write_atomic(mark, "Checkpoint commit was successful")
    return number


def _require_room(folder: Path, *trees: PyTree) -> None:
    """Refuses to begin what the disk cannot hold, counted without compression."""
    size = sum(leaf.nbytes for tree in trees for _, leaf in _flat(plain(tree)) if hasattr(leaf, "nbytes"))
    require_space(folder, (size + _METADATA_BYTES) / 2**30)


@contextlib.contextmanager
def _saving(folder: Path) -> Iterator[None]:
    """An error of Orbax that comes from a full disk as an AimError, and what was begun removed."""
    try:
        with writing(folder):
            yield
    except AimError:
        _remove_begun(folder)
        raise


def _remove_begun(folder: Path) -> None:
    """Removes unfinished checkpoints, once nobody writes into them any more."""
    if jax.process_index() != 0 or not (begun := list(folder.glob("*.orbax-checkpoint-tmp*"))):
        return
    for thread in threading.enumerate():
        if type(thread).__module__.startswith("orbax."):
            threading.Thread.join(thread, timeout=10)  # theirs would raise the error once more
    for path in begun:
        shutil.rmtree(path, ignore_errors=True)


def read_bundle(folder: str | Path, step: int | None = None) -> dict[str, Any]:
    """The `bundle` of a checkpoint folder (newest step unless given).

    Raises:
        AimError: there is no checkpoint.
    """
    return _restore(folder, step, bundle=ocp.args.JsonRestore())["bundle"]


def read_params(folder: str | Path, abstract: PyTree, step: int | None = None) -> PyTree:
    """The evaluated parameters, in the structure, shapes and shardings of `abstract`.

    Raises:
        AimError: there is no checkpoint, or it belongs to a model of other shapes.
    """
    folder = Path(folder).absolute()
    wanted = plain(abstract)
    with ocp.CheckpointManager(folder) as manager:
        number = _step(manager, folder, step)
        check_shapes(_stored_shapes(folder / str(number) / "params"), wanted, folder / str(number))
    restored = _restore(folder, step, params=ocp.args.StandardRestore(jax.tree.map(_placed, wanted)))
    return unplain(abstract, restored["params"])


def _placed(leaf: Any) -> jax.ShapeDtypeStruct:
    """Where to put a leaf: as asked for, otherwise on the first device, whatever devices it was saved from."""
    place = getattr(leaf, "sharding", None) or jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place)


def _stored_shapes(path: Path) -> PyTree:
    # The handler itself: a checkpointer would look for the files of a step in the folder of an item, and warn.
    handler: Any = ocp.StandardCheckpointHandler()
    return handler.metadata(path).tree


def check_shapes(saved: PyTree, wanted: PyTree, path: Path) -> None:
    """Raises AimError with a table of differences when names or shapes do not agree."""
    have, want = ({_name(k): tuple(v.shape) for k, v in _flat(tree)} for tree in (saved, wanted))
    lines = [f"missing {name} {want[name]}" for name in sorted(want.keys() - have.keys())]
    lines += [f"unexpected {name} {have[name]}" for name in sorted(have.keys() - want.keys())]
    lines += [
        f"{name}: {have[name]} in the checkpoint, {want[name]} in the model"
        for name in sorted(have.keys() & want.keys())
        if have[name] != want[name]
    ]
    if lines:
        shown = "; ".join(lines[:5]) + (f"; and {len(lines) - 5} more" if len(lines) > 5 else "")
        raise AimError(
            f"The checkpoint {path} belongs to another configuration",
            got=shown,
            remedy="use the configuration that stands beside the checkpoint's run (config.json), or another checkpoint",
        )


def plain(tree: PyTree) -> PyTree:
    """The same tree with nested dictionaries of arrays instead of NNX states, keys as strings."""
    if isinstance(tree, nnx.State):
        return _strings(nnx.to_pure_dict(tree))
    if isinstance(tree, dict):
        return {str(key): plain(value) for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return {name: plain(getattr(tree, name)) for name in tree._fields}  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(tree, (tuple, list)):
        return {str(i): plain(value) for i, value in enumerate(tree)}
    if isinstance(tree, nnx.Variable):
        return tree[...]
    return tree


def unplain(template: PyTree, tree: PyTree) -> PyTree:
    """The inverse of `plain`: puts the arrays of `tree` into the structure of `template`."""
    leaves, structure = jax.tree_util.tree_flatten_with_path(template)
    found = {_name(path): leaf for path, leaf in _flat(tree)}
    return jax.tree.unflatten(structure, [found[_name(_without_value(path))] for path, _ in leaves])


def _without_value(path: Any) -> Any:
    """Paths into an NNX variable end in an attribute of the variable; plain trees have no such level."""
    return path[:-1] if path and getattr(path[-1], "name", None) == "value" else path


def _strings(tree: Any) -> Any:
    return {str(k): _strings(v) for k, v in tree.items()} if isinstance(tree, dict) else tree


def _flat(tree: PyTree):
    return jax.tree_util.tree_flatten_with_path(
        tree, is_leaf=lambda x: hasattr(x, "shape") and not isinstance(x, dict)
    )[0]


def _name(path: Any) -> str:
    return ".".join(str(getattr(k, "key", getattr(k, "name", getattr(k, "idx", k)))) for k in path)


def _step(manager: ocp.CheckpointManager, folder: Path, step: int | None) -> int:
    number = manager.latest_step() if step is None else step
    if number is None or number not in manager.all_steps():
        raise AimError(
            f"There is no checkpoint {'' if step is None else f'of step {step} '}in {folder}",
            remedy="check the path; a run's checkpoints are in its folder `checkpoints`",
        )
    return number


def _restore(folder: str | Path, step: int | None, **items: Any) -> Any:
    folder = Path(folder).absolute()
    if not folder.is_dir():
        raise AimError(f"There is no checkpoint folder {folder}", remedy="check the path")
    with ocp.CheckpointManager(folder) as manager:
        return manager.restore(_step(manager, folder, step), args=ocp.args.Composite(**items))


def tree_hash(tree: PyTree) -> str:
    """SHA-256 over names, dtypes, shapes and bytes of all leaves: equal only for equal parameters."""
    import hashlib

    digest = hashlib.sha256()
    for path, leaf in _flat(plain(tree)):
        array = np.asarray(leaf)
        digest.update(f"{_name(path)} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
