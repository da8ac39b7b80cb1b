"""Expert episodes out of RoboTwin: a seed is tried without rendering, then replayed with a recorder."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

from aim_jax.data.episode import write_episode
from aim_jax.data.imports.folders import SETTINGS
from aim_jax.data.timeline import FRAME_STRIDE
from aim_jax.errors import AimError
from aim_jax.files import write_json
from aim_jax.robotwin.checkout import Checkout
from aim_jax.robotwin.expert import Attempt, Patience, close, crash, set_up_replay, try_seed
from aim_jax.robotwin.options import CollectOptions
from aim_jax.robotwin.recorder import Recorder
from aim_jax.sim.collection.expert_episode import EpisodeOutcome, episode_path
from aim_jax.sim.collection.ledger import Ledger


def collect(options: CollectOptions, checkout: Checkout) -> int:
    """Collects task after task; 0 when every task has its episodes."""
    report = {name.strip(): _collect_task(options, checkout, name.strip()) for name in options.task.split(",")}
    if options.json:
        write_json(options.json, {"tasks": report})
    return 0


def _collect_task(options: CollectOptions, checkout: Checkout, name: str) -> dict[str, Any]:
    setting = SETTINGS.get(options.task_config, options.task_config)
    folder = options.out / name / setting
    arguments, task = checkout.arguments(name, options.task_config), checkout.new_task(name)
    fixed: dict[str, object] = {"source": "RoboTwin", "task": name, "task_config": options.task_config}
    fixed["frame_stride"] = FRAME_STRIDE
    if options.occlusion != "off":  # a folder from before there was this test can be gone on with without it
        fixed["occlusion"] = options.occlusion
    ledger = Ledger(folder, fixed)
    done = ledger.load(options.seed_start)
    successes = sum(outcome.success for outcome in done.values())
    run, patience = _Run(options, checkout, task, name, setting, arguments), Patience(options.give_up)
    for seed in itertools.count(options.seed_start):
        if successes >= options.episodes:
            break
        if seed in done:
            continue
        outcome = _collect_seed(run, seed, patience)
        ledger.add(outcome)
        done[seed] = outcome
        successes += outcome.success
        print(f"{name} seed {seed}: {outcome.reason or f'{outcome.steps} control steps'}", flush=True)
    unstable = sum(outcome.unstable for outcome in done.values())
    print(f"{name}: {successes} episodes in {folder}, of {len(done)} seeds ({unstable} unstable)", flush=True)
    failures = [{"seed": o.seed, "reason": o.reason} for _, o in sorted(done.items()) if not o.success]
    return {"successes": successes, "seeds": len(done), "unstable": unstable, "failures": failures, "folder": folder}


class _Run(NamedTuple):
    """One task's collection.

    Attributes:
        options: of the command.
        checkout: RoboTwin's.
        task: RoboTwin's object.
        name: the task's name.
        setting: ours for RoboTwin's configuration.
        arguments: that the task is set up with.
    """

    options: CollectOptions
    checkout: Checkout
    task: Any
    name: str
    setting: str
    arguments: dict[str, Any]


def _collect_seed(run: _Run, seed: int, patience: Patience) -> EpisodeOutcome:
    attempt = try_seed(run.checkout, run.task, seed, run.arguments)
    outcome = EpisodeOutcome(seed, False, unstable=attempt.unstable, reason=attempt.reason)
    if attempt.success:
        try:
            outcome = _record(run, seed, attempt)
        except AimError:
            raise
        except Exception as error:
            # Whatever RoboTwin raises concerns this seed, as when it was tried.
            attempt = crash(error)
            outcome = EpisodeOutcome(seed, False, reason=f"in the replay: {attempt.reason}")
    patience.see(attempt)
    return outcome


def _record(run: _Run, seed: int, attempt: Attempt) -> EpisodeOutcome:
    """Replays a seed that the expert has solved and writes its episode."""
    options, checkout, task, name, setting, arguments = run
    try:
        set_up_replay(task, seed, arguments, attempt.paths)
        recorder = Recorder(task, name, occlusion=options.occlusion == "depth")
        recorder.run(task.play_once)
        if not task.check_success():
            return EpisodeOutcome(seed, False, steps=recorder.control_steps, reason="the replay misses the goal")
        texts = checkout.instructions(name, attempt.info, "seen", options.instructions, seed)
        path = episode_path(options.out / name / setting, seed)
        write_episode(path, recorder.episode(setting, seed, texts))
        return EpisodeOutcome(seed, True, steps=recorder.control_steps, path=str(path))
    finally:
        close(task, rendered=True)
