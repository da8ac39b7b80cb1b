"""The table of docs/tpu.md: kept results, and the lines made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from aim_jax.aot.table import BEGIN, END, PEER, ROWS, Row, insert, render, results
from aim_jax.config_io import load_config
from aim_jax.errors import AimError

ROOT = Path(__file__).parents[2]


def report(asked, fits=True):
    modelled = {
        "step_seconds": 0.5,
        "mfu": 0.456,
        "matmul_cycles": 2e8,
        "other_cycles": 1e8,
        "kernel_seconds": 0.02,
        "collectives": {"all-gather": {"gb": 1.5}, "reduce-scatter": {"gb": 2.0}},
    }
    program = {
        "name": "step",
        "fits": fits,
        "hbm_gib": {"arguments": 1.0, "temporaries": 2.0, "peak": 0.41, "limit": 15.75},
        "modelled": modelled if fits else None,
    }
    mesh = {"data": 1, "fsdp": asked.topology.chips, "tensor": 1, "context": 1}
    return {
        "fits": fits,
        "mesh": mesh,
        "batch": asked.batch,
        "chips": asked.topology.chips,
        "effort": asked.effort,
        "programs": [program],
    }


def test_results_are_made_once(tmp_path):
    experiment = load_config(ROOT / "configs" / "wan22_5b.py")
    asked = []

    def compile_one(request):
        asked.append(request)
        return report(request)

    rows = [Row("stage1", "v5e:4x4", per_chip=2), Row("wan_forward", "v5e:4x4", frames=33)]
    for _ in range(2):
        found = results(rows, experiment, tmp_path, "full", compile_one=compile_one)
    assert len(asked) == 2
    assert asked[0].batch == 32
    lines = render(found).splitlines()
    assert len(lines) == 4
    assert "fsdp 16" in lines[2]
    assert "45.6 %" in lines[2]
    assert lines[2].count("|") == lines[0].count("|")
    # 300 of the peer's 763 Mcycles, 0.41 of its 0.82 GiB.
    assert "0.39×, 0.50×" in lines[3]


def test_a_quick_compile_claims_no_time(tmp_path):
    experiment = load_config(ROOT / "configs" / "wan22_5b.py")
    found = results([Row("stage1", "v5e:4x4")], experiment, tmp_path, "O1", compile_one=report)
    assert "45.6 %" not in render(found)
    rows = [Row("stage1", "v5e:8x8")]
    missing = results(rows, experiment, tmp_path, "O1", compile_one=lambda r: report(r, fits=False))
    assert "no (0.41 of 15.75 GiB)" in render(missing)


def test_the_table_goes_between_the_marks(tmp_path):
    document = tmp_path / "tpu.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    insert(document, "new")
    assert document.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    document.write_text("no marks")
    with pytest.raises(AimError, match="no place for the table"):
        insert(document, "new")


def test_every_peer_row_is_compiled():
    assert {(row.stage, row.topology, row.frames) for row in ROWS if row.frames} == set(PEER)
    assert len({row.key for row in ROWS}) == len(ROWS)
