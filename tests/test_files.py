"""Files are whole or absent, also when the disk is full; then the user is told so, whatever library met it."""

from __future__ import annotations

import errno
import logging
from pathlib import Path

import h5py
import numpy as np
import pytest
import safetensors.numpy

from aim_jax.data.records import write_records
from aim_jax.errors import AimError
from aim_jax.evaluation.video import write_picture, write_video
from aim_jax.files import atomic_path, disk_full, require_space, without_full_disk, write_atomic, write_json, writing
from tests.small_disk import left_in, small_disk

RNG = np.random.default_rng(0)
FULL = "No space left on device"


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 255, shape, dtype=np.uint8)


def write_hdf5(path: Path) -> None:
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        for number in range(8):
            file.create_dataset(str(number), data=noise(200_000))


def write_safetensors(path: Path) -> None:
    with atomic_path(path) as temporary:
        safetensors.numpy.save_file({"a": noise(2_000_000)}, str(temporary))


WRITERS = {
    "bytes": lambda path: write_atomic(path, noise(2_000_000).tobytes()),
    "hdf5": write_hdf5,
    "safetensors": write_safetensors,
    "records": lambda path: write_records(path, [noise(300_000).tobytes() for _ in range(8)]),
    "video": lambda path: write_video(path, noise(10, 240, 320, 3), fps=10),
    "picture": lambda path: write_picture(path, noise(400, 400, 3)),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kib", [4, 256])
def test_a_full_disk_is_told_and_nothing_is_left(name: str, kib: int, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kib) as disk:
        with pytest.raises(AimError, match=r"No room to write .*out.*Remedy: free some space"):
            WRITERS[name](disk / "out")
        assert left_in(disk) == []


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, FULL, "x"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError(f"write() failed: {FULL}; writing x.partial"),
        ValueError(f"RESOURCE_EXHAUSTED: Error writing local file: {FULL} [os_error_code='28']"),
    ],
)
def test_a_full_disk_is_known_by_number_or_words(error: Exception, tmp_path: Path) -> None:
    assert disk_full(error)
    with pytest.raises(AimError, match=f"No room to write {tmp_path}"), writing(tmp_path):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        ValueError("another defect"),
        OSError(errno.EIO, "Input/output error"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 17179869184 bytes."),
    ],
)
def test_other_errors_stay_what_they_are(error: Exception, tmp_path: Path) -> None:
    assert not disk_full(error)
    with pytest.raises(type(error)) as caught, atomic_path(tmp_path / "x"):
        raise error
    assert caught.value is error
    assert left_in(tmp_path) == []


def test_an_error_that_is_explained_already_passes(tmp_path: Path) -> None:
    told = AimError("The shard is broken", got=FULL)
    with pytest.raises(AimError) as caught, writing(tmp_path):
        raise told
    assert caught.value is told


def test_logs_leave_out_what_is_told_otherwise() -> None:
    def record(message: str, error: Exception | None) -> logging.LogRecord:
        return logging.LogRecord(
            "absl", logging.ERROR, "", 0, message, (), (type(error), error, None) if error else None
        )

    assert not without_full_disk(record("a thread failed", ValueError(FULL)))
    assert not without_full_disk(record(f"a thread raised: {FULL}", None))
    assert without_full_disk(record("a thread failed", ValueError("another defect")))


def test_too_little_room_is_said_in_fitting_units(tmp_path: Path) -> None:
    with pytest.raises(AimError, match=r"Wanted: 1048576\.00 GiB free"):
        require_space(tmp_path, 2**20)
    with small_disk(tmp_path / "disk", 64) as disk, pytest.raises(AimError, match=r"1\.00 MiB free\. Got: 0\.06 MiB"):
        require_space(disk, 2**-10)


def test_a_file_in_the_way_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "a.json", tmp_path / "folder"):
        with pytest.raises(AimError, match=f"{path} cannot be written.*choose an output"):
            write_json(path, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
