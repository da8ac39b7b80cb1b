"""The search for a setting, with a compiler that is a formula."""

from __future__ import annotations

from pathlib import Path

import pytest

from aim_jax.aot.request import Request
from aim_jax.aot.search import search
from aim_jax.aot.topology import parse_topology
from aim_jax.config_io import load_config
from aim_jax.errors import AimError

ROOT = Path(__file__).parents[2]
GAIN = {"nothing": 1.0, "attention": 1.1, "outputs": 1.2, "dots": 1.3, "all": 1.35}
BYTES = {"nothing": 2.0, "attention": 3.0, "outputs": 4.0, "dots": 9.0, "all": 10.0}


def request(topology: str = "v5e:4x4") -> Request:
    experiment = load_config(ROOT / "configs" / "wan22_5b.py")
    return Request(experiment, "stage1", parse_topology(topology), 0, 0, "O1")


def compiler(limit: float):
    """Fits while bytes per sample times samples per chip stay below the limit; more samples a chip are faster."""

    def compile_one(asked: Request):
        train, mesh = asked.experiment.train, asked.experiment.parallel.mesh
        shares = asked.topology.chips // mesh.tensor
        per_chip = asked.batch / shares
        peak = BYTES[train.remat_keep] * per_chip / mesh.tensor
        rate = GAIN[train.remat_keep] * per_chip**0.1 / mesh.tensor
        program = {"modelled": {"samples_per_second_per_chip": rate}, "hbm_gib": {"peak": peak}}
        return {
            "fits": peak <= limit,
            "mesh": {"fsdp": shares, "tensor": mesh.tensor},
            "batch": asked.batch,
            "remat": train.remat_keep,
            "programs": [program],
        }

    return compile_one


@pytest.mark.parametrize(
    ("limit", "keep", "batch"), [(2.0, "nothing", 16), (4.0, "outputs", 16), (8.0, "outputs", 32), (9.0, "dots", 16)]
)
def test_the_best_that_fits_is_found(limit, keep, batch):
    report = search(request(), compiler(limit))
    assert report["fits"]
    assert (report["remat"], report["batch"]) == (keep, batch)
    assert report["tried"][0]["remat"] == "nothing"
    assert len(report["tried"]) > 2


def test_nothing_fits():
    report = search(request(), compiler(1.0))
    assert not report["fits"]


def test_without_a_clock_nothing_is_ranked():
    with pytest.raises(AimError, match="cannot be ranked"):
        search(request("tpu7x:2x2x1"), compiler(9.0))
