"""`aim inspect mask`: the visibility table, and the mask of a training window that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aim_jax.commands.experiment import Experiment
from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Shows who sees whom: the rules, and the static mask of a training window, block by block.

    Switches of the mask are values of the configuration: --model.visibility.window 4.
    """

    experiment: Experiment
    """Single values of the configuration can be overridden."""
    config: Path = Path("configs/tiny.py")
    """Configuration file."""
    chunks: int = 0
    """Chunks of the window; 0 for those of `train.chunks`."""
    picture: Path | None = None
    """Also draws the mask into this PNG file, a pixel a token; kinds have colours, the rest is white."""
    json: str | None = None
    """Also writes rules, blocks, mask and counts as JSON into this file; `-` writes JSON to stdout instead."""


def main(args: Args) -> int:
    """Prints table and mask."""
    from aim_jax.core.mask import block_mask, describe, visibility_groups
    from aim_jax.core.mask_picture import draw, legend
    from aim_jax.core.splash_plan import window_plan
    from aim_jax.errors import AimError
    from aim_jax.files import atomic_path
    from aim_jax.models.aim.sequence import training_layout

    if args.chunks < 0:
        raise AimError("A window has no chunks", wanted="--chunks of at least 1", got=args.chunks)
    model, train = args.experiment.model, args.experiment.train
    layout = training_layout(model, args.chunks or train.chunks, train.noise.action_draws)
    mask = block_mask(layout, model.visibility)
    tokens = layout.block_tokens
    pairs = int(tokens @ mask @ tokens)
    plan = window_plan(layout, model.visibility)
    data = {
        "rules": describe(model.visibility),
        "blocks": [
            {"kind": block.kind.value, "frame": block.frame, "draw": block.draw, "tokens": int(count)}
            for block, count in zip(layout.blocks, tokens, strict=True)
        ],
        "mask": mask.astype(int).tolist(),
        "tokens": layout.length,
        "visible_pairs": pairs,
        "share": pairs / layout.length**2,
        "groups": len(visibility_groups(layout, model.visibility)),
        "splash": {"padded": plan.padded, "tile": plan.tile, "tiles": plan.active_tiles(), "pairs": plan.pairs()},
    }
    if args.picture is not None:
        with atomic_path(args.picture) as temporary:
            draw(layout, mask).save(temporary, format="PNG")
        data["picture"] = args.picture
    emit(args.json, data, _text(data, legend(layout)))
    return 0


def _text(data: dict[str, Any], kinds: list[str]) -> str:
    rows = data["rules"]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    names = [f"{block['kind']:>2} {block['frame']:>3}" for block in data["blocks"]]
    lines += ["", "one row a block of queries (kind, latent frame); # where it sees a block of keys", ""]
    lines += [" " * 8 + "".join(block["kind"][0] for block in data["blocks"])]
    grid = ["".join("#" if seen else "·" for seen in row) for row in data["mask"]]
    lines += [f"{name}  {row}" for name, row in zip(names, grid, strict=True)]
    splash = data["splash"]
    lines += [
        "",
        *kinds,
        "",
        f"{data['tokens']} tokens; {data['visible_pairs']} of {data['tokens'] ** 2} pairs are visible "
        f"({100 * data['share']:.1f} %), in {data['groups']} groups of queries with equal keys",
        f"splash kernel: padded to {splash['padded'][0]}, tiles of {splash['tile'][0]}×{splash['tile'][1]}, "
        f"{splash['tiles']} of them computed: {100 * splash['pairs'] / data['tokens'] ** 2:.1f} % of all pairs",
    ]
    if "picture" in data:
        lines.append(f"picture: {data['picture']}")
    return "\n".join(lines)
