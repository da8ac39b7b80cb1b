"""Files that are either whole or absent: atomic writes, content hashes, room on the disk."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aim_jax.errors import AimError

_FULL = ("No space left on device", "Disk quota exceeded")
_NOT_WRITABLE = {
    errno.EACCES,
    errno.EROFS,
    errno.EPERM,
    errno.ENOTDIR,  # a file where a folder should be, or the other way round
    errno.EEXIST,
    errno.EISDIR,
    errno.ENAMETOOLONG,
}


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on success it is moved into place, on failure removed.

    Raises:
        AimError: the disk is full or the folder cannot be written.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
            os.close(handle)
            temporary = Path(name)
            yield temporary
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever the body raises because the disk is full or `path` may not be written becomes an AimError.

    The body must remove what it has begun; the error says that nothing was left half-written.
    """
    try:
        yield
    except Exception as error:
        if (told := write_error(error, path)) is None:
            raise
        raise told from error


def write_error(error: BaseException, path: str | os.PathLike[str]) -> AimError | None:
    """What to tell the user about an error met while writing `path`; None if the error is none of theirs to mend."""
    if disk_full(error):
        return AimError(
            f"No room to write {path}",
            got=f"{_size(free_gib(path))} free",
            remedy="free some space or choose another output folder; nothing was left half-written",
        )
    if isinstance(error, OSError) and error.errno in _NOT_WRITABLE:
        return AimError(
            f"{path} cannot be written", got=error.strerror, remedy="choose an output folder that you may write to"
        )
    return None


def disk_full(error: BaseException | None) -> bool:
    """Whether an error says that a disk, or the user's share of it, is full.

    Libraries written in C++ or Rust (ArrayRecord, Orbax, safetensors, HDF5) raise errors of their own kind, which carry
    the system's words in their text. RESOURCE_EXHAUSTED alone is no sign: that is also how memory runs out.
    """
    if error is None or isinstance(error, AimError):
        return False
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return any(words in str(error) for words in _FULL)


def without_full_disk(record: logging.LogRecord) -> bool:
    """A filter of log records: leaves out those about a full disk, which the caller is told by an AimError."""
    return not (disk_full(record.exc_info[1] if record.exc_info else None) or "No space left" in record.getMessage())


def write_atomic(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Writes `content` to `path` so that a reader sees the old file or the new one, never a part."""
    data = content.encode() if isinstance(content, str) else content
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes `value` as indented JSON, atomically. Dataclasses, paths, tuples and NumPy values are understood."""
    write_atomic(path, dumps_json(value) + "\n")


def dumps_json(value: Any) -> str:
    """JSON text of `value`; see `write_json`."""
    return json.dumps(value, indent=2, default=_plain)


def read_json(path: str | os.PathLike[str]) -> Any:
    """Reads JSON.

    Raises:
        AimError: the file is missing or is no JSON.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise AimError(f"{path} does not exist", remedy="check the path, or run the step that writes it") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AimError(f"{path} is no JSON file", got=str(error), remedy="delete it and run the step again") from error


def sha256(path: str | os.PathLike[str], progress: Callable[[int], None] | None = None) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces; `progress` is told the bytes read."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 22):
            digest.update(piece)
            if progress:
                progress(len(piece))
    return digest.hexdigest()


def sync_tree(folder: str | os.PathLike[str]) -> None:
    """Returns when every file and folder below `folder` is on the disk: a power cut then takes nothing back."""
    for root, _, names in os.walk(folder):
        for path in (*(os.path.join(root, name) for name in names), root):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def free_gib(folder: str | os.PathLike[str]) -> float:
    """Free space in GiB on the file system of `folder` (or of its first parent that exists)."""
    path = Path(folder).absolute()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free / 2**30


def require_space(folder: str | os.PathLike[str], gib: float) -> None:
    """Raises AimError when fewer than `gib` GiB are free where `folder` is or will be."""
    free = free_gib(folder)
    if free < gib:
        raise AimError(
            f"Too little room in {folder}",
            wanted=f"{_size(gib)} free",
            got=_size(free),
            remedy="free some space or choose another output folder",
        )


def _size(gib: float) -> str:
    return f"{gib:.2f} GiB" if gib >= 0.1 else f"{1024 * gib:.2f} MiB"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
