"""`python convert_weights.py`, also `aim convert`: checkpoints from PyTorch to Orbax and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aim_jax.commands.output import emit

Component = Literal["dit", "vae", "text_encoder"]
GIB = 2**30


@dataclass(frozen=True)
class Args:
    """Converts the networks of Wan2.2-TI2V-5B: PyTorch files to Orbax checkpoints, and back with --export.

    Three layouts are recognised by the names of their tensors:

    * original (Wan-AI/Wan2.2-TI2V-5B): diffusion_pytorch_model-*.safetensors, Wan2.2_VAE.pth and
      models_t5_umt5-xxl-enc-bf16.pth. The .pth files need torch: pip install "aim-jax[oracle]".
    * Diffusers (Wan-AI/Wan2.2-TI2V-5B-Diffusers): the folders transformer, vae, text_encoder.
    * LingBot-VA (robbyant/lingbot-va-base): the same folders, a robot-pretrained transformer.

    Examples:

    * python convert_weights.py --source Wan2.2-TI2V-5B --out wan22 --verify
    * python convert_weights.py --source lingbot-va-base --out lingbot --components dit --init-aim
    * python convert_weights.py --source wan22 --out wan22-diffusers --export diffusers

    Each network becomes OUT/dit, OUT/vae, OUT/text_encoder; the tokenizer is copied to OUT/tokenizer. A folder has its
    final name only when it is complete; interrupted, run the same command again and it goes on.
    """

    source: Path
    """Folder of the downloaded checkpoint; with --export, folder of the converted one."""

    out: Path
    """Folder to write to."""

    components: tuple[Component, ...] = ("dit", "vae", "text_encoder")
    """Networks to convert; those that the source does not hold are left out."""

    dtype: Literal["source", "float32", "bfloat16"] = "source"
    """Dtype in which parameters are stored; `source` keeps every bit."""

    dry_run: bool = False
    """Only prints the plan: tensors, bytes, dtypes, files, memory."""

    verify: bool = False
    """Reads both sides again and compares every tensor; with torch installed also what each layer puts out."""

    forward: bool = True
    """Whether --verify also runs the layers."""

    init_aim: bool = False
    """Also writes OUT/aim: all of AIM's parameters, started from the converted transformer."""

    action_hidden: int = 1024
    """Width of AIM's action head, for --init-aim; its feed-forward width is four times this."""

    value_qkv: Literal["separate", "shared", "lora"] = "separate"
    """The value stream's projections, for --init-aim: its own, the RGB stream's, or those with something of low rank
    added."""

    value_rank: int = 32
    """That rank."""

    seed: int = 0
    """Of the parameters that --init-aim has nothing to start from."""

    export: Literal["diffusers", "original", "lingbot"] | None = None
    """Writes the converted networks in SOURCE in this layout instead."""

    json: str | None = None
    """Also writes the result as JSON into this file; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Converts, exports, verifies; 1 when a comparison fails."""
    from aim_jax.weights import session

    if args.export:
        result = session.export_all(args.source, args.out, args.components, args.export)
    elif args.dry_run:
        result = session.describe_all(args.source, args.components, args.dtype)
    else:
        result = session.convert_all(args.source, args.out, args.components, args.dtype)
        if args.verify:
            result |= session.verify_all(args.source, args.out, args.components, args.dtype, forward=args.forward)
        if args.init_aim:
            additions = session.Additions(args.action_hidden, args.value_qkv, args.value_rank)
            result |= session.init_aim(args.out, additions, args.seed)
    emit(args.json, result, _text(result))
    return 0 if result.get("ok", True) else 1


def _text(result: dict[str, Any]) -> str:
    lines = [line for network in result["networks"] for line in _network(network)]
    lines += [line for row in result.get("verified", ()) for line in _verified(row)]
    lines += [line for row in result.get("forward", ()) for line in _forward(row)]
    lines += [f"  {path}: {how}" for path, how in result.get("initialised", {}).items() if not path.startswith("wan/")]
    if "ok" in result:
        lines.append("Every comparison holds." if result["ok"] else "SOME COMPARISONS FAIL: see the rows marked NO.")
    return "\n".join(lines)


def _network(network: dict[str, Any]) -> list[str]:
    head = (
        f"{network['component']} ({network['layout']}): {network['tensors']} tensors, {network['bytes'] / GIB:.2f} GiB"
    )
    rows = [
        f"  {key}: {network[key]}"
        for key in ("state", "dtypes", "carried", "chunks", "memory", "files")
        if key in network
    ]
    return [head, *rows]


def _verified(row: dict[str, Any]) -> list[str]:
    mark = "ok" if row["ok"] else "NO"
    return [
        f"  {mark}  {row['name']:<44} {row['tensors']:>4} tensors  abs {row['max_abs']:.1e}  rel {row['max_rel']:.1e}"
    ]


def _forward(row: dict[str, Any]) -> list[str]:
    mark = "ok" if row["ok"] else "NO"
    return [f"  {mark}  {row['name']:<44} output        abs {row['max_abs']:.1e}  rel {row['max_rel']:.1e}"]
