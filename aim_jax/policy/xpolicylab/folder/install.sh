#!/usr/bin/env bash
# What this policy needs in XPolicyLab's policy environment: XPolicyLab itself, and three small packages. No JAX.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python -m pip install -e "$here/../.." numpy "websockets>=13" "msgpack>=1.0"
