"""`aim compile` as a whole: the compiler of a topology on this machine, and mistakes answered with one paragraph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aim_jax.aot.compiler import _exhausted
from aim_jax.aot.topology import parse_topology
from aim_jax.cli import main
from aim_jax.errors import AimError

ROOT = Path(__file__).parents[2]
FULL = ["--config", str(ROOT / "configs" / "wan22_5b.py")]


@pytest.mark.parametrize("name", ["v5e", "v5e:", "4x4", "v5e:4", "v5e:axb", "v9:4x4"])
def test_no_topology(name):
    with pytest.raises(AimError):
        parse_topology(name)


def test_names_of_topologies():
    assert str(parse_topology("2*v5e:4x4")) == "2*v5e:4x4"
    assert parse_topology("2*v5e:4x4").chips == 32
    assert parse_topology("tpu7x:2x2x1").name == "tpu7x:2x2x1"


def test_the_compilers_complaint_about_memory_is_understood():
    message = (
        "RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space hbm. "
        "Used 25.88G of 15.75G hbm. Exceeded hbm capacity by 10.13G."
    )
    assert _exhausted(message) == (25.88 * 2**30, 15.75 * 2**30)
    other = "RESOURCE_EXHAUSTED: CompileTimeHbmOom: program requires (25.88G) exceeds available HBM (15.75G)"
    assert _exhausted(other) == (25.88 * 2**30, 15.75 * 2**30)
    assert _exhausted("INVALID_ARGUMENT: something else") is None


@pytest.mark.tpu_compile
@pytest.mark.parametrize(
    "flags", [["--parallel.mesh.tensor", "5"], ["--batch", "7"], ["--frames", "8"], ["--topology", "v5e:5x7"]]
)
def test_bad_requests(flags, capsys):
    pytest.importorskip("libtpu")
    assert main(["compile", *FULL, "--topology", "v5e:4x4", *flags]) == 2
    assert "Wanted" in capsys.readouterr().err


@pytest.mark.tpu_compile
@pytest.mark.slow
def test_the_full_step_compiles_for_a_pod(tmp_path):
    pytest.importorskip("libtpu")
    out, module = tmp_path / "report.json", tmp_path / "module.txt"
    flags = ["--stage", "stage1", "--topology", "v5e:8x8", "--effort", "O1", "--json", str(out), "--hlo", str(module)]
    assert main(["compile", *FULL, *flags]) == 0
    report = json.loads(out.read_text())
    program = report["programs"][0]
    assert report["fits"]
    assert program["hbm_gib"]["peak"] < program["hbm_gib"]["limit"]
    # 6.8 B parameters and two moments in float32 over 64 chips; the batch and what is not sharded come on top.
    state = 3 * 4 * 6.8e9 / 64 / 2**30
    assert state <= program["hbm_gib"]["arguments"] <= 1.1 * state
    modelled = program["modelled"]
    assert modelled["weight_copies_gb"] == 0
    assert not modelled["unknown_loops"]
    assert {name.split("_no_")[0] for name in modelled["kernel_calls"]} >= {"splash_mha_dq", "splash_mha_dkv"}
    assert 0 < modelled["mfu"] < 1
    assert "ENTRY" in module.read_text()
