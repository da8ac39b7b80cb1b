"""Flags of the TPU compiler per generation: a pod's launcher and the ahead-of-time compile take the same.

As a program (`python aim_jax/parallel/xla_flags.py v5e`, needs nothing but Python) it prints them for LIBTPU_INIT_ARGS.
"""

from __future__ import annotations

import sys

# FSDP gathers a layer's weights whole. Windowed einsums would make rings of thin matmuls instead: 1.3-3.4 times the
# roofline, and partial sums rounded to bfloat16.
WHOLE_WEIGHTS = {"xla_jf_spmd_threshold_for_windowed_einsum_mib": "1000000"}
# Collectives start early, and run beside computation.
OVERLAP = {
    "xla_tpu_enable_latency_hiding_scheduler": "true",
    "xla_tpu_enable_async_collective_fusion": "true",
    "xla_tpu_enable_async_collective_fusion_fuse_all_gather": "true",
}
# Without this v6e fuses both products of a feed-forward layer into one, which takes more cycles than the two: all
# products of `aim compile --stage wan_forward --topology v6e:4x4 --frames 9` took 44.0 Mcycles with and 23.2 without.
TWO_PRODUCTS = {"xla_tpu_dot_dot_fusion": "false"}

FLAGS: dict[str, dict[str, str]] = {
    "v4": WHOLE_WEIGHTS | OVERLAP,
    "v5e": WHOLE_WEIGHTS | OVERLAP,
    "v5p": WHOLE_WEIGHTS | OVERLAP,
    "v6e": WHOLE_WEIGHTS | OVERLAP | TWO_PRODUCTS,
    "7x": WHOLE_WEIGHTS | OVERLAP,
    "none": {},
}


def main(arguments: list[str]) -> int:
    """Prints the flags of a generation."""
    flags = FLAGS.get(arguments[0]) if len(arguments) == 1 else None
    if flags is None:
        print(f"xla_flags: no flags for {' '.join(arguments) or 'nothing'}; known: {', '.join(FLAGS)}", file=sys.stderr)
        return 2
    print(" ".join(f"--{name}={value}" for name, value in flags.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
