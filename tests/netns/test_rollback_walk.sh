#!/usr/bin/env bash
# Random applies, changes by hand and rollbacks against a model: rollback_walk.c. TCT_SEED repeats a walk.
set -u
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"

: "${ROLLBACK_WALK:?the program that walks}"
mkdir "$WORK/walk"
cat >"$WORK/walk/0.yaml" <<'YAML'
schema: tcptune.profile.v1
name: walk0
summary: First
settings:
  net.core.somaxconn: { set: 16384, because: for the test }
  net.ipv4.tcp_fin_timeout: { set: 30s, because: for the test }
  net.ipv4.tcp_rmem: { set: [keep, keep, 67108864], because: for the test }
  net.ipv4.tcp_keepalive_time: { set: 600s, because: for the test }
YAML
cat >"$WORK/walk/1.yaml" <<'YAML'
schema: tcptune.profile.v1
name: walk1
summary: Second
settings:
  net.core.somaxconn: { set: 32768, because: for the test }
  net.ipv4.tcp_rmem: { set: [keep, 262144, 33554432], because: for the test }
  net.ipv4.tcp_keepalive_time: { set: 600s, because: for the test }
  net.ipv4.ip_local_port_range: { set: [10000, 65001], because: for the test }
YAML
cat >"$WORK/walk/2.yaml" <<'YAML'
schema: tcptune.profile.v1
name: walk2
summary: Third
settings:
  net.core.somaxconn: { set: 8192, because: for the test }
  net.ipv4.tcp_fin_timeout: { set: 15s, because: for the test }
  net.ipv4.tcp_rmem: { set: [8192, keep, keep], because: for the test }
  net.ipv4.ip_local_port_range: { set: [15001, 61000], because: for the test }
YAML
seed=${TCT_SEED:-$RANDOM}
echo "seed $seed"
"$ROLLBACK_WALK" "$WORK/walk" "$seed" "${TCT_WALKS:-20}" 20 >"$WORK/out" 2>"$WORK/err" || fail "TCT_SEED=$seed"
cat "$WORK/out"
