"""Whether a run may go on from a checkpoint: what is learnt, and from what, must be what it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aim_jax.config import ExperimentConfig
from aim_jax.dataclass_json import to_plain
from aim_jax.errors import AimError
from aim_jax.training import bundle as bundles

_FREE = {
    "experiment": {"name", "setting", "tasks", "vae", "collect", "parallel", "rollout", "grpo", "eval", "text"},
    "experiment.model": {"attention"},
    "experiment.model.dit": {"compute_dtype"},
    "experiment.train": {
        "steps",
        "remat",
        "remat_keep",
        "microbatches",
        "init",
        "prefetch",
        "guard",
        "profile_steps",
        "log_every",
        "save_every",
        "keep",
        "val_batches",
        "val_every",
    },
}
"""Fields that may change in between: they say how long, where and how fast, or how the policy is used. The VAE and the
texts count by their contents, which the latents' identity and the shapes hold fast."""


def check_continues(stored: dict[str, Any], now: dict[str, Any], run: Path) -> None:
    """Refuses to go on from a checkpoint of something else.

    Args:
        stored: the checkpoint's bundle.
        now: that of this start.
        run: where the checkpoints are.

    Raises:
        AimError: a setting that decides what is learnt, the statistics or the latents differ.
    """
    if found := list(_differences("", bundles.complete(stored), bundles.complete(now), _FREE)):
        raise _other_settings("checkpoints", run, found)


def rounds_settings(experiment: ExperimentConfig) -> dict[str, Any]:
    """What decides how rounds of Stage II go, JSON-able: kept with them, for `check_rounds_continue`."""
    return {name: to_plain(getattr(experiment, name)) for name in ("tasks", "setting", "canvas", "rollout", "grpo")}


def check_rounds_continue(stored: dict[str, Any], now: dict[str, Any], run: Path) -> None:
    """Refuses to go on with rounds of Stage II under other settings than they began with; only their number may change.

    Args:
        stored: `rounds_settings` of the checkpoint.
        now: of this start.
        run: where the checkpoints are.

    Raises:
        AimError: they differ.
    """
    if found := list(_differences("", stored, now, {"grpo": {"iterations"}})):
        raise _other_settings("rounds", run, found)


def _other_settings(what: str, run: Path, found: list[tuple[str, Any, Any]]) -> AimError:
    shown = [f"{path} {_short(old)} -> {_short(new)}" for path, old, new in found[:5]]
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    return AimError(
        f"The {what} in {run} were trained with other settings or data",
        got="; ".join(shown) + more,
        remedy="choose another --out for the new settings, or go on with those in its config.json",
    )


def _differences(path: str, old: Any, new: Any, free: Mapping[str, set[str]]) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted((old.keys() | new.keys()) - free.get(path, set())):
            yield from _differences(f"{path}.{name}" if path else name, old.get(name), new.get(name), free)
    elif old != new:
        yield path.removeprefix("experiment."), old, new


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
