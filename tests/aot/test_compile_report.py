"""The report of a request, with a compiler that answers at once, and what it proposes when nothing fits."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from aim_jax.aot import request as request_module
from aim_jax.aot.compiler import Compiled, Memory, Program
from aim_jax.aot.cost import Totals
from aim_jax.aot.report import text
from aim_jax.aot.request import Request, answer
from aim_jax.aot.topology import parse_topology
from aim_jax.config_io import load_config

ROOT = Path(__file__).parents[2]
GIB = 2**30


@pytest.fixture
def ask(monkeypatch):
    """Answers a request for 4 chips whose only program needs what the test says."""

    def asked(memory: Memory, fits: bool, **changes):
        experiment = load_config(ROOT / "configs" / "wan22_5b.py")
        devices = np.array(jax.devices()[:4]).reshape(1, 4, 1, 1)
        mesh = Mesh(devices, ("data", "fsdp", "tensor", "context"))
        totals = Totals(matmul=3e8, other=1e8, kernels=0.02, seconds=0.4) if fits else None
        program = Program("step", lambda: None, (), (), None, (), 4 * 197e12 * 0.2, 4)
        monkeypatch.setattr(request_module, "make_mesh", lambda config, devices: mesh)
        monkeypatch.setattr(request_module, "devices", lambda topology: [])
        monkeypatch.setattr(request_module, "compile_program", lambda *args: Compiled(fits, memory, totals, 1.0))
        monkeypatch.setitem(request_module.STAGES, "stage1", lambda setting: (program,))
        return answer(Request(experiment, "stage1", parse_topology("v5e:2x2"), 0, 0, "full")._replace(**changes))

    return asked


def test_a_step_that_fits(ask):
    report = ask(Memory(4 * GIB, 2 * GIB, 7 * GIB, 16 * GIB), fits=True)
    assert report["fits"]
    assert (report["batch"], report["frames"]) == (4, 9)
    modelled = report["programs"][0]["modelled"]
    assert modelled["mfu"] == pytest.approx(0.5)  # 0.2 s of the chips' peak in 0.4 s
    assert modelled["samples_per_second_per_chip"] == pytest.approx(2.5)
    shown = text(report)
    assert "fits; HBM GiB per chip: arguments 4.00, temporaries 2.00, peak 7.00 of 16.00" in shown
    assert "MFU 50.0 %" in shown
    assert "modelled, not measured" in shown


def test_a_step_that_does_not_fit_says_what_would(ask):
    report = ask(Memory(20 * GIB, 0, 26 * GIB, 16 * GIB), fits=False, batch=8)
    assert not report["fits"]
    shown = text(report)
    assert "DOES NOT FIT" in shown
    assert "--batch 4" in shown
    # 80 GiB of state in 16 - 6 GiB a chip: 8 chips.
    assert "8 chips" in shown


def test_temporaries_that_are_too_large_by_themselves(ask):
    report = ask(Memory(1 * GIB, 0, 40 * GIB, 16 * GIB), fits=False)
    assert "temporaries alone take 39.0 of 16.0 GiB" in text(report)
