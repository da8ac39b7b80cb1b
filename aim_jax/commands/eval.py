"""`aim eval`: closed-loop success rates."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import tyro

from aim_jax.commands.names import named_settings, named_tasks
from aim_jax.commands.output import emit

if TYPE_CHECKING:
    from aim_jax.config import ExperimentConfig
    from aim_jax.evaluation.episode_log import EpisodeLog
    from aim_jax.evaluation.load import Loaded
    from aim_jax.evaluation.wilson import SuccessRate


@dataclass(frozen=True)
class Args:
    """Evaluates a policy in the simulator on seeds that training never saw, with Wilson 95 % intervals.

    Prints the rates, and the paper's Tables 1 and 2 with them beside its own.

    Exit code 0 says that the evaluation ran, whatever the success.
    """

    checkpoint: Path = Path("packaged")
    """Run of Stage I or II, or "packaged": the policy that comes with aim_jax. Tasks, protocol and seeds are those of
    its configuration."""
    policy: Literal["trained", "untrained", "expert"] = "trained"
    """The checkpoint's parameters, the same model before training, or the scripted expert."""
    task: Annotated[str, tyro.conf.arg(aliases=("--tasks",))] = ""
    """Tasks separated by commas, or `all`; those of the configuration unless given."""
    episodes: int = 0
    """Episodes per task; the configuration's unless given."""
    seed_start: int = -1
    """First seed; the configuration's unless given. Seeds that training has used are refused in a configuration, and
    told of when they are given here."""
    instructions: Literal["", "seen", "unseen"] = ""
    """Instruction templates. Unless given, the configuration's; where that has none or --setting is given, those of
    RoboTwin's files: seen in `easy`, unseen in `hard`."""
    setting: str = ""
    """Scene setting, or `easy,hard` for both; the configuration's unless given. `hard` shows textures that training
    never saw."""
    workers: int = 0
    """Simulator processes; the configuration's unless given."""
    out: Path | None = None
    """Folder that keeps the log of every finished task: OUT/SETTING/TASK.json. Run it again to go on after an
    interruption."""
    json: str | None = None
    """Also writes rates and the log of all episodes as JSON; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Evaluates setting after setting; prints a line per task, and the tables."""
    from aim_jax.evaluation.load import load_policy, stored_experiment
    from aim_jax.evaluation.tables import markdown, tables

    tasks = named_tasks(args.task) if args.task else ()
    settings = named_settings(args.setting) if args.setting else ("",)
    loaded = None
    if args.policy != "expert":
        loaded = load_policy(args.checkpoint, trained=args.policy == "trained")
    stored = loaded.experiment if loaded else stored_experiment(args.checkpoint)
    experiments = [_checked(_overridden(stored, args, setting, tasks), args) for setting in settings]
    measured = [_measure(args, loaded, experiment) for experiment in experiments]
    made = tables({one.setting: one.rates for one in measured})
    parts = [_as_json(one, args.checkpoint) for one in measured]
    split = {"settings": {one.setting: part for one, part in zip(measured, parts, strict=True)}}
    data = {"policy": args.policy, **(parts[0] if len(parts) == 1 else split), "tables": made}
    shown = [_lines(one, several=len(measured) > 1) for one in measured]
    if args.out:
        shown.append(f"log of every task: {args.out}")
    emit(args.json, data, "\n".join([*shown, "", markdown(made)]))
    return 0


class _Measured(NamedTuple):
    """What was found in one setting."""

    experiment: ExperimentConfig
    rates: dict[str, SuccessRate]
    logs: list[EpisodeLog]

    @property
    def setting(self) -> str:
        return self.experiment.setting


def _measure(args: Args, loaded: Loaded | None, experiment: ExperimentConfig) -> _Measured:
    from aim_jax.commands.progress import progress
    from aim_jax.evaluation.closed_loop import evaluate
    from aim_jax.evaluation.experts import evaluate_expert
    from aim_jax.evaluation.finished import Finished

    finished = args.out and Finished(args.out, experiment.setting, _protocol(loaded, experiment))
    if loaded is None:
        return _Measured(experiment, *evaluate_expert(experiment, finished))
    with progress(f"{args.policy} policy, {experiment.setting}") as told:
        return _Measured(experiment, *evaluate(loaded.agent, experiment, progress=told, finished=finished))


def _protocol(loaded: Loaded | None, experiment: ExperimentConfig) -> dict[str, Any]:
    """What decides how an episode ends."""
    from aim_jax.evaluation.closed_loop import instruction_split
    from aim_jax.training.checkpoint import tree_hash

    seeds = {"seed_start": experiment.eval.seed_start, "episodes": experiment.eval.episodes}
    if loaded is None:
        return {"policy": "expert", **seeds}
    return {
        "policy": tree_hash(loaded.agent.params),
        **seeds,
        "batch": experiment.eval.envs,
        "instructions": instruction_split(experiment),
        "rollout": asdict(experiment.rollout),
    }


def _as_json(measured: _Measured, checkpoint: Path) -> dict[str, Any]:
    from aim_jax.evaluation.episode_log import as_json
    from aim_jax.evaluation.manifest import manifest

    experiment, rates, logs = measured
    return {**as_json(rates, logs), "manifest": manifest(experiment, checkpoint)}


def _lines(measured: _Measured, several: bool) -> str:
    from aim_jax.evaluation.episode_log import unstable_seeds

    head = f"{measured.setting}, " if several else ""
    lines = [
        f"{head}{task}: {rate.successes} of {rate.episodes} = {100 * rate.rate:.0f} % "
        f"[{100 * rate.low:.0f}, {100 * rate.high:.0f}]"
        for task, rate in measured.rates.items()
    ]
    lines += [
        f"{head}{task}: {len(seeds)} unstable layouts counted apart, seeds {', '.join(map(str, seeds))}"
        for task, seeds in unstable_seeds(measured.logs).items()
    ]
    return "\n".join(lines)


def _checked(experiment: ExperimentConfig, args: Args) -> ExperimentConfig:
    """The experiment, unless it evaluates on layouts that it trains on; where the user wants it so, it is told."""
    from aim_jax.seeds import check_disjoint, evaluation_seeds

    if args.seed_start < 0:
        check_disjoint(experiment)
    elif shared := evaluation_seeds(experiment)["shared_with"]:
        print(f"These layouts are also those of {' and '.join(shared)}", file=sys.stderr, flush=True)
    return experiment


def _overridden(experiment: ExperimentConfig, args: Args, setting: str, tasks: Sequence[str]) -> ExperimentConfig:
    protocol = experiment.eval
    changes = {
        "episodes": args.episodes or protocol.episodes,
        "seed_start": args.seed_start if args.seed_start >= 0 else protocol.seed_start,
        "instructions": args.instructions or ("" if setting else protocol.instructions),
        "workers": args.workers or protocol.workers,
    }
    changes["envs"] = min(protocol.envs, changes["episodes"])
    experiment = replace(experiment, setting=setting or experiment.setting)
    return replace(experiment, tasks=tuple(tasks) or experiment.tasks, eval=replace(protocol, **changes))
