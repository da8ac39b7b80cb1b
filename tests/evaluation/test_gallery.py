"""The gallery: made once, kept on a second run, and its videos play in a browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from browser import chromium

from aim_jax.cli import main

TASK = "click_bell"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    entry = {"successes": 4, "episodes": 5}
    (folder / "experts.json").write_text(json.dumps({"setting": "easy", "tasks": {TASK: entry}}))
    assert main(_words(folder)) == 0
    return folder


def _words(folder: Path) -> list[str]:
    words = ["gallery", "--tasks", TASK, "--workers", "1", "--success", str(folder / "experts.json")]
    return [*words, "--out", str(folder / "out"), "--json", str(folder / "gallery.json")]


@pytest.mark.sim
def test_every_setting_has_a_clip(folder: Path) -> None:
    clips = json.loads((folder / "gallery.json").read_text())["clips"]
    assert [clip["setting"] for clip in clips] == ["easy", "hard"]
    assert all(clip["events"][0][0] == "press" and clip["maps"]["frames"] for clip in clips)
    page = (folder / "out" / "index.html").read_text()
    assert "4 of 5" in page
    assert page.count("<video") == 2


@pytest.mark.sim
def test_clips_are_not_made_again(folder: Path) -> None:
    videos = sorted((folder / "out" / "clips").glob("*.mp4"))
    before = [video.stat().st_mtime_ns for video in videos]
    assert main(_words(folder)) == 0
    assert [video.stat().st_mtime_ns for video in videos] == before


@pytest.mark.sim
def test_a_clip_that_older_rules_judged_is_made_again(folder: Path) -> None:
    described = folder / "out" / "clips" / f"{TASK}_easy.json"
    old = {"frames": 2, "on_target": 2, "contacts": 1, "marked": 1}
    described.write_text(json.dumps({**json.loads(described.read_text()), "maps": old, "rules": 1}))
    assert main(_words(folder)) == 0
    maps = json.loads(described.read_text())["maps"]
    assert maps["maps"] > maps["maps_differing"] == 0


@pytest.mark.sim
@pytest.mark.browser
@pytest.mark.skipif(not any(map(shutil.which, ("chromium", "google-chrome"))), reason="no Chromium here")
def test_its_videos_play(folder: Path, tmp_path: Path) -> None:
    with chromium(tmp_path) as page:
        page.open((folder / "out" / "index.html").as_uri())
        ready = "Promise.all([...document.querySelectorAll('video')].map(v => v.play().then(() => v.videoWidth)))"
        assert page.evaluate(ready) == [320, 320]


@pytest.mark.sim
def test_a_file_that_is_no_report_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "experts.json").rename(folder / "kept.json")
    (folder / "experts.json").write_text("{}")
    assert main(_words(folder)) == 2
    (folder / "kept.json").replace(folder / "experts.json")
    assert "no report of `aim collect`" in capsys.readouterr().err
