#!/usr/bin/env bash
# Named sets of XLA flags per chip generation; prints one set.
#
#   LIBTPU_INIT_ARGS=$(bash launch/xla_flags.sh v5e)
#
# LIBTPU_INIT_ARGS is read by the TPU compiler alone. What each flag is for:
#   threshold_for_windowed_einsum  no rings of small matmuls beside FSDP's gathers: matmuls 1.3 to 3.4 times the roofline
#   latency_hiding_scheduler       starts collectives early and runs them beside computation
#   async_collective_fusion        fuses gathers with the computation that hides them
#   scoped_vmem_limit              v6e has more memory on the chip for fusions than the default uses
set -euo pipefail

common="--xla_jf_spmd_threshold_for_windowed_einsum_mib=1000000"
overlap="--xla_tpu_enable_latency_hiding_scheduler=true --xla_tpu_enable_async_collective_fusion=true"
overlap+=" --xla_tpu_enable_async_collective_fusion_fuse_all_gather=true"
case "${1:-}" in
  v4 | v5e | v5p | 7x) echo "$common $overlap" ;;
  v6e) echo "$common $overlap --xla_tpu_scoped_vmem_limit_kib=98304" ;;
  none) echo "" ;;
  *)
    printf 'xla_flags: no flags for "%s"; known: v4, v5e, v5p, v6e, 7x, none\n' "${1:-}" >&2
    exit 2
    ;;
esac
