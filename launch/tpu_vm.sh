#!/usr/bin/env bash
# Runs an `aim` command on all workers of a Cloud TPU VM slice.
#
#   bash launch/tpu_vm.sh create  NAME ZONE v5litepod-64 [RUNTIME]   makes the slice
#   bash launch/tpu_vm.sh setup   NAME ZONE REPOSITORY               clones and sets up on every worker
#   bash launch/tpu_vm.sh run     NAME ZONE CHIP train --config configs/wan22_5b.py --dataset gs://… --out gs://…
#   bash launch/tpu_vm.sh delete  NAME ZONE
#
# CHIP (v4, v5e, v5p, v6e, 7x) chooses the XLA flags. Set AIM_DRY_RUN=1 to print the commands only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { printf 'tpu_vm: %s\n' "$*" >&2; exit 2; }
call() {
  if [ -n "${AIM_DRY_RUN:-}" ]; then printf '%q ' "$@"; printf '\n'; else "$@"; fi
}
workers() { # workers NAME ZONE COMMAND: the command on every worker
  call gcloud compute tpus tpu-vm ssh "$1" --zone "$2" --worker all --command "$3"
}

[ $# -ge 3 ] || die "usage: bash launch/tpu_vm.sh create|setup|run|delete NAME ZONE …"
[ -n "${AIM_DRY_RUN:-}" ] || command -v gcloud >/dev/null || die "gcloud is not installed; AIM_DRY_RUN=1 prints the commands"
action=$1 name=$2 zone=$3
shift 3
case "$action" in
  create)
    [ $# -ge 1 ] || die "create needs an accelerator type, such as v5litepod-64"
    call gcloud compute tpus tpu-vm create "$name" --zone "$zone" --accelerator-type "$1" \
      --version "${2:-tpu-ubuntu2204-base}"
    ;;
  setup)
    [ $# -eq 1 ] || die "setup needs the address of the repository"
    workers "$name" "$zone" "git clone $1 aim || git -C aim pull --ff-only; cd aim && bash launch/setup.sh --all"
    ;;
  run)
    [ $# -ge 2 ] || die "run needs a chip generation and a command"
    flags=$(bash launch/xla_flags.sh "$1")
    shift
    # JAX finds coordinator, number and index of the workers from the slice's metadata.
    workers "$name" "$zone" "cd aim && AIM_COORDINATOR=auto JAX_PLATFORMS=tpu LIBTPU_INIT_ARGS='$flags' .venv/bin/aim $(printf '%q ' "$@")"
    ;;
  delete) call gcloud compute tpus tpu-vm delete "$name" --zone "$zone" --quiet ;;
  *) die "unknown action $action; one of create, setup, run, delete" ;;
esac
