"""`aim robotwin …` starts RoboTwin's Python; both ends understand the same flags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aim_jax import cli
from aim_jax.data.episode import read_episode
from aim_jax.robotwin.flags import parse, unparse
from aim_jax.robotwin.options import AnnotateOptions, CollectOptions, EvalOptions


def test_the_command_runs_in_the_checkout_and_writes_where_it_was_called(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("ROBOTWIN_ROOT", str(checkout))
    monkeypatch.delenv("ROBOTWIN_PYTHON", raising=False)
    monkeypatch.chdir(checkout.parent)
    assert (
        cli.main(
            [
                "robotwin",
                "collect",
                "--task",
                "click_bell",
                "--episodes",
                "1",
                "--out",
                "episodes",
                "--json",
                "report.json",
            ]
        )
        == 0
    )
    assert "click_bell seed 0: 12 control steps" in capfd.readouterr().out
    assert read_episode(checkout.parent / "episodes/click_bell/easy/episode_0000000.hdf5").labels == "contacts"
    report = json.loads((checkout.parent / "report.json").read_text())
    assert report["tasks"]["click_bell"]["successes"] == 1
    assert cli.main(["robotwin", "collect", "--task", "fold_shirt"]) == 2
    assert "no task fold_shirt" in capfd.readouterr().err


def test_without_a_checkout_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delenv("ROBOTWIN_ROOT", raising=False)
    assert cli.main(["robotwin", "eval"]) == 2
    assert "ROBOTWIN_ROOT is not set" in capsys.readouterr().err
    monkeypatch.setenv("ROBOTWIN_ROOT", "somewhere")
    monkeypatch.setenv("ROBOTWIN_PYTHON", "no-such-python")
    assert cli.main(["robotwin", "eval"]) == 2
    assert "ROBOTWIN_PYTHON=no-such-python is no program" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        CollectOptions(task="a,b", episodes=3, out=Path("with space"), json=Path("a report.json")),
        AnnotateOptions(Path("here"), task_config="demo_randomized"),
        EvalOptions(instructions="unseen", wait=1.5),
        EvalOptions(),
    ],
)
def test_options_survive_the_way_through_flags(options):
    assert parse(type(options), unparse(options), "test") == options
