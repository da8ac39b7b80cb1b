"""The benchmarks run, and measure what they say."""

from __future__ import annotations

import json

import pytest

from aim_jax.cli import main


def test_bench_convert_reports_every_stage_and_cleans_up(tmp_path, capsys):
    folder = tmp_path / "work"
    one = ["--components", "dit", "--layouts", "lingbot", "--no-forward"]
    assert main(["bench", "convert", "--size", "small", *one, "--folder", str(folder), "--json", "-"]) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    (run,) = result["runs"]
    assert said.err.count("lingbot") == 3
    assert run["copy"]["seconds"] > 0
    assert [stage["name"] for stage in run["stages"]] == ["convert", "verify", "export"]
    assert all(0.1 < stage["peak_rss_gb"] <= result["peak_rss_gb"] for stage in run["stages"])
    assert len(run["verify"]) == 42 + 1  # what LingBot-VA carries along is one row
    assert all(row["ok"] for row in run["verify"])
    assert not list(folder.iterdir())


@pytest.mark.oracle
def test_speed_cases_agree_with_the_library(monkeypatch):
    pytest.importorskip("diffusers")
    from aim_jax.models.dit import WanDiTConfig
    from aim_jax.models.vae.config import VAEConfig
    from aim_jax.weights.speed import Sizes, cases, measure

    sizes = Sizes(
        WanDiTConfig(dim=24, ffn_dim=32, num_layers=1, num_heads=2, text_dim=8, freq_dim=16),
        VAEConfig(base_dim=8, decoder_base_dim=8, num_res_blocks=1),
        latents=(2, 4, 4),
        video=(1, 32, 32),
        words=4,
    )
    rows = [measure(case, 1) for case in cases(sizes, compiled=(), threads=1, seed=0)]
    assert [row["name"] for row in rows] == ["dit forward", "vae encode", "vae decode"]
    assert all(row["max_rel_error"] <= 1e-4 for row in rows)
    assert all(row["seconds"].keys() == {"ours", "eager"} for row in rows)
