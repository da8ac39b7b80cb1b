#!/usr/bin/env bash
# Starts XPolicyLab's policy server for @POLICY@; `aim serve` must be running at the aim_url of deploy.yml.
# Arguments, in XPolicyLab's order: bench_name task_name ckpt_name env_cfg_type action_type seed gpu_id conda_env port [host]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
if [ -n "${8:-}" ] && command -v conda >/dev/null; then
  eval "$(conda shell.bash hook)"
  conda activate "$8"
fi
export PYTHONPATH="$root:$(dirname "$root")${PYTHONPATH:+:$PYTHONPATH}"
exec python "$root/setup_policy_server.py" --config_path "$here/deploy.yml" --overrides \
  "bench_name=$1" "task_name=$2" "ckpt_name=$3" "env_cfg_type=$4" "action_type=$5" "seed=$6" \
  "policy_name=$(basename "$here")" "port=$9" "host=${10:-localhost}"
