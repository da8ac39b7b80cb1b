"""RoboTwin's evaluation protocol with our policy server: expert check of the seed, step limits, success at any step.

Facts: scripts/eval_policy_xpolicylab.py (`eval_remote_policy`) and envs/_base_task.py (`take_action`). One thing is
changed: pictures are taken after every fourth action, which is what the policy sees, instead of after every one.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from aim_jax.errors import AimError
from aim_jax.files import write_json
from aim_jax.policy.client import PolicyClient, Refused
from aim_jax.robotwin.checkout import Checkout
from aim_jax.robotwin.expert import Patience, close, try_seed
from aim_jax.robotwin.options import EvalOptions
from aim_jax.robotwin.results import Played, Results
from aim_jax.robotwin.sense import frame, joint_targets


def evaluate(options: EvalOptions, checkout: Checkout) -> int:
    """Evaluates task after task.

    Raises:
        AimError: the server is not there or refuses, or the expert crashes on every seed.
    """
    report = {name.strip(): _evaluate_task(options, checkout, name.strip()) for name in options.task.split(",")}
    if options.json:
        write_json(options.json, {"tasks": report})
    return 0


def _evaluate_task(options: EvalOptions, checkout: Checkout, name: str) -> dict[str, Any]:
    arguments, task = checkout.arguments(name, options.task_config), checkout.new_task(name)
    arguments = {**arguments, "eval_mode": True, "is_test": True}
    split = options.instructions or str(arguments.get("eval_instruction", "seen"))
    settings = {
        "task": name,
        "task_config": options.task_config,
        "instructions": split,
        "seed_start": 100_000 * (1 + options.seed),
        "url": options.url,
    }
    results = Results.open(options.out / f"{name}_{options.task_config}_{split}.json", settings)
    patience = Patience(options.give_up)
    while len(results.played) < options.episodes:
        seed = results.next_seed
        attempt = try_seed(checkout, task, seed, arguments)
        patience.see(attempt)
        if attempt.success:
            instruction = checkout.instructions(name, attempt.info, split, options.episodes, seed)
            chosen = instruction[np.random.default_rng(seed).integers(len(instruction))]
            results.played.append(_play(options, task, seed, arguments, chosen))
        else:
            results.skipped[seed] = attempt.reason
        results.save()
        if attempt.success:
            _tell(name, results)
    print(f"{name}: {results.path}", flush=True)
    return {"success": results.rate(), "skipped": len(results.skipped), "results": results.path}


def _play(options: EvalOptions, task: Any, seed: int, arguments: dict[str, Any], instruction: str) -> Played:
    task.setup_demo(now_ep_num=0, seed=seed, **arguments)
    try:
        task.set_instruction(instruction=instruction)
        token = os.environ.get("AIM_SERVE_TOKEN") or None
        with PolicyClient(options.url, token=token, wait=options.wait) as client:
            act(task, client, instruction, seed)
        return Played(seed, bool(task.eval_success), int(task.take_action_cnt), instruction)
    except (Refused, OSError) as error:
        raise AimError(
            f"The policy server at {options.url} does not answer as it should",
            got=str(error),
            remedy="start `aim serve`, then run this again: it goes on where it was",
        ) from error
    finally:
        close(task, rendered=True)


def act(task: Any, client: Any, instruction: str, seed: int) -> None:
    """Lets the policy act until the goal is reached or the step limit is.

    Args:
        task: set up, with `eval_success` false.
        client: a `PolicyClient`.
        instruction: for the policy.
        seed: of the policy's noise.
    """
    stride, execute = client.metadata["frame_stride"], client.metadata["execute"]
    reply = client.begin(frame(task).images, instruction, seed=seed, state=joint_targets(task))
    while True:
        frames = []
        for count, action in enumerate(reply["actions"][:execute], 1):
            task.take_action(np.array(action, np.float64), action_type="qpos")
            if task.eval_success or task.take_action_cnt >= task.step_lim:
                return
            if count % stride == 0:
                frames.append(frame(task).images)
        reply = client.step({camera: np.stack([images[camera] for images in frames]) for camera in frames[0]})


def _tell(name: str, results: Results) -> None:
    last, rate = results.played[-1], results.rate()
    assert rate is not None
    print(
        f"{name} seed {last.seed}: {'success' if last.success else 'failure'} after {last.actions} actions; "
        f"{rate['successes']} of {rate['episodes']}, {100 * rate['rate']:.0f} % "
        f"[{100 * rate['low']:.0f}–{100 * rate['high']:.0f}], {len(results.skipped)} seeds skipped",
        flush=True,
    )
