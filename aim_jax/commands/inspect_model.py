"""`aim inspect model`: parameters by part, tokens and operations of a training window."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path

from aim_jax.commands.experiment import Experiment
from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Counts parameters by part, without allocating any, and the FLOPs of a window by the project's definition."""

    experiment: Experiment
    """Single values of the configuration can be overridden: --model.action-hidden 768."""
    config: Path = Path("configs/tiny.py")
    """Configuration file."""
    depth: int = 2
    """Levels of the parameter tree that are shown."""
    json: str | None = None
    """Also writes the counts as JSON into this file; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Prints the table."""
    from flax import nnx

    from aim_jax.models.aim.flops import window_flops, window_tokens
    from aim_jax.models.aim.model import abstract_parameters

    model, train = args.experiment.model, args.experiment.train
    parts: dict[str, int] = {}
    for path, variable in nnx.to_flat_state(abstract_parameters(model)):
        count = math.prod(variable.get_value().shape)
        for depth in range(1, min(args.depth, len(path)) + 1):
            name = "/".join(map(str, path[:depth]))
            parts[name] = parts.get(name, 0) + count
    total = sum(count for name, count in parts.items() if "/" not in name)
    draws = train.noise.action_draws
    flops = window_flops(model, train.chunks, draws, args.experiment.text.max_len)
    window = {
        "chunks": train.chunks,
        "latent_frames": 1 + train.chunks * model.latents_per_chunk,
        "tokens": window_tokens(model, train.chunks, draws),
        "forward_flops": {**asdict(flops), "all": flops.forward},
        "training_flops": flops.training,
    }
    lines = [f"{name.ljust(34)} {count:>15,}" for name, count in sorted(parts.items())]
    lines += [f"{'all'.ljust(34)} {total:>15,}"]
    lines += [
        f"a training window: {window['latent_frames']} latent frames, {window['tokens']:,} tokens, "
        f"{flops.training / 1e12:.3f} TFLOP a step and sample "
        f"(linear {flops.linear / flops.forward:.0%}, attention {flops.attention / flops.forward:.0%}, "
        f"text {flops.text / flops.forward:.0%}, ends {flops.ends / flops.forward:.0%})"
    ]
    emit(args.json, {"parameters": parts, "all": total, "window": window}, "\n".join(lines))
    return 0
