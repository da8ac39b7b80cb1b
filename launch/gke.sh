#!/usr/bin/env bash
# Runs an `aim` command on TPU slices of a GKE cluster as a JobSet; prints the manifest, or applies it.
#
#   bash launch/gke.sh NAME CHIP TOPOLOGY HOSTS SLICES IMAGE train --config configs/wan22_5b.py …
#   AIM_DRY_RUN=1 bash launch/gke.sh aim v5e 8x8 16 1 IMAGE train …         prints the manifest only
#   AIM_XPK=CLUSTER bash launch/gke.sh aim v5e 8x8 16 1 IMAGE train …       hands the workload to xpk instead
#
# HOSTS is the number of hosts of one slice. The JobSet starts all pods again when one fails: they go on from the last
# checkpoint. Pods get 120 s after SIGTERM, in which a checkpoint is written.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { printf 'gke: %s\n' "$*" >&2; exit 2; }
[ $# -ge 7 ] || die "usage: bash launch/gke.sh NAME CHIP TOPOLOGY HOSTS SLICES IMAGE COMMAND…"
name=$1 chip=$2 topology=$3 hosts=$4 slices=$5 image=$6
shift 6
flags=$(bash launch/xla_flags.sh "$chip")
case "$chip" in
  v4) selector=tpu-v4-podslice per_host=4 ;;
  v5e) selector=tpu-v5-lite-podslice per_host=4 ;;
  v5p) selector=tpu-v5p-slice per_host=4 ;;
  v6e) selector=tpu-v6e-slice per_host=4 ;;
  7x) selector=tpu7x per_host=4 ;;
  *) die "no TPU generation $chip" ;;
esac
[[ "$hosts" =~ ^[1-9][0-9]*$ && "$slices" =~ ^[1-9][0-9]*$ ]] || die "HOSTS and SLICES are numbers, not $hosts and $slices"
chips=1
for side in ${topology//x/ }; do
  [[ "$side" =~ ^[1-9][0-9]*$ ]] || die "TOPOLOGY is like 8x8 or 4x4x4, not $topology"
  chips=$((chips * side))
done
[ "$chips" = $((hosts * per_host)) ] || die "topology $topology has $chips chips, but $hosts hosts of $per_host have $((hosts * per_host))"
command="AIM_COORDINATOR=auto JAX_PLATFORMS=tpu LIBTPU_INIT_ARGS='$flags' .venv/bin/aim $(printf '%q ' "$@")"

if [ -n "${AIM_XPK:-}" ]; then
  call=(xpk workload create --workload "$name" --cluster "$AIM_XPK" --tpu-type "$chip-$chips" --num-slices "$slices"
    --docker-image "$image" --max-restarts 100 --command "$command")
  if [ -n "${AIM_DRY_RUN:-}" ]; then printf '%q ' "${call[@]}"; printf '\n'; exit; fi
  exec "${call[@]}"
fi

manifest() {
  cat <<YAML
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata:
  name: $name
  annotations:
    alpha.jobset.sigs.k8s.io/exclusive-topology: cloud.google.com/gke-nodepool
spec:
  failurePolicy:
    maxRestarts: 100
  replicatedJobs:
    - name: slice
      replicas: $slices
      template:
        spec:
          parallelism: $hosts
          completions: $hosts
          backoffLimit: 0
          template:
            spec:
              terminationGracePeriodSeconds: 120
              restartPolicy: Never
              nodeSelector:
                cloud.google.com/gke-tpu-accelerator: $selector
                cloud.google.com/gke-tpu-topology: $topology
              containers:
                - name: aim
                  image: $image
                  command: ["bash", "-c"]
                  args:
                    - |-
                      exec env $command
                  resources:
                    limits:
                      google.com/tpu: $per_host
YAML
}
if [ -n "${AIM_DRY_RUN:-}" ]; then
  manifest
else
  command -v kubectl >/dev/null || die "kubectl is not installed; AIM_DRY_RUN=1 prints the manifest"
  manifest | kubectl apply -f -
fi
