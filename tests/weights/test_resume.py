"""Killed at any point, a conversion goes on; until it is complete its folder does not have its final name."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from aim_jax.errors import AimError
from aim_jax.models.converted import load_dit
from aim_jax.weights import store
from aim_jax.weights.convert import convert
from aim_jax.weights.verify import verify
from tests.weights.synthetic_checkpoints import plan_of


class Cut(Exception):
    """Stands for a power cut."""


@pytest.mark.parametrize("after", [0, 7, 95])
def test_continues_where_it_stopped(write, tmp_path, monkeypatch, after):
    plan = plan_of(write("dit", "diffusers"), "dit")
    put, written = store.ChunkedCheckpoint.put, []

    def cut(self, path, index, values):
        if len(written) == after:
            raise Cut
        written.append((path, index))
        put(self, path, index, values)

    monkeypatch.setattr(store.ChunkedCheckpoint, "put", cut)
    with pytest.raises(Cut):
        convert(plan, tmp_path)
    assert not (tmp_path / "dit").exists()
    with pytest.raises(AimError, match="holds no converted checkpoint"):
        load_dit(tmp_path / "dit")

    again = []
    monkeypatch.setattr(
        store.ChunkedCheckpoint,
        "put",
        lambda self, path, index, v: (again.append((path, index)), put(self, path, index, v)),
    )
    assert convert(plan, tmp_path)
    assert not set(written) & set(again)
    assert len(written) + len(again) == len(list(plan.pieces()))
    assert all(row.ok for row in verify(plan, tmp_path / "dit"))


def test_another_plan_does_not_continue_a_partial_one(write, tmp_path, monkeypatch):
    source = write("dit", "diffusers")

    def cut(*_):
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(store.ChunkedCheckpoint, "put", cut)
        with pytest.raises(Cut):
            convert(plan_of(source, "dit"), tmp_path)
    with pytest.raises(AimError, match="interrupted conversion of another checkpoint or with other options"):
        convert(plan_of(source, "dit", "float32"), tmp_path)


def test_a_chunk_that_a_power_cut_left_short_is_written_again(write, tmp_path, monkeypatch):
    plan = plan_of(write("text_encoder", "diffusers"), "text_encoder")
    with monkeypatch.context() as patch:
        patch.setattr(store, "sync_tree", lambda _: (_ for _ in ()).throw(Cut))
        with pytest.raises(Cut):
            convert(plan, tmp_path)
    (chunk,) = (tmp_path / ".text_encoder.partial").glob("0/params/norm.scale/0")
    chunk.write_bytes(b"")
    with monkeypatch.context() as patch:
        patch.setattr(store.ChunkedCheckpoint, "_frame", lambda *_: pytest.fail("begun anew"))
        assert convert(plan, tmp_path)
    assert all(row.ok for row in verify(plan, tmp_path / "text_encoder"))


def test_survives_kill_9(write, tmp_path):
    source = write("dit", "original", "float32")
    out = tmp_path / "out"
    command = [sys.executable, "convert_weights.py", "--source", str(source), "--out", str(out), "--components", "dit"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(out.glob(".dit.partial/conversion.json")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert subprocess.run(command, check=False, capture_output=True, timeout=120).returncode == 0
    assert sorted(path.name for path in out.iterdir()) == ["dit"]
    assert all(row.ok for row in verify(plan_of(source, "dit"), out / "dit"))
