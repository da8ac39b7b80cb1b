#!/usr/bin/env bash
# Prints the XLA flags of a chip generation (v4, v5e, v5p, v6e, 7x, or none); aim_jax/parallel/xla_flags.py says what
# each is for.
#
#   LIBTPU_INIT_ARGS=$(bash launch/xla_flags.sh v5e)
#
# LIBTPU_INIT_ARGS is read by the TPU compiler alone.
set -euo pipefail
exec python3 "$(dirname "$0")/../aim_jax/parallel/xla_flags.py" "$@"
