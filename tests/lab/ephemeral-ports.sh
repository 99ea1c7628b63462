#!/usr/bin/env bash
# Ports run out for one destination, though not for another: only a count per destination shows it.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open ephemeral-ports

set_sysctl "$CLIENT" "net.ipv4.ip_local_port_range=40000 40099" net.ipv4.tcp_tw_reuse=0
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 256 --accept-and-hold
actor "$SERVER" listen --address "$SERVER4" --port 7001 --backlog 256 --accept-and-hold
# Half of them to each: ports may be the same.
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 50 --hold
actor "$CLIENT" connect --to "$SERVER4" --port 7001 --count 50 --hold
audit "$CLIENT" 1
no_warnings

actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 20 --hold
audit "$CLIENT" 1
only_finding ephemeral-ports "$SERVER4.*7000" application
finding_present ephemeral-ports warning

actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 25 --hold
audit "$CLIENT" 1
only_finding ephemeral-ports "$SERVER4.*7000" application
finding_present ephemeral-ports critical
finding_that ephemeral-ports 'any(.never[]; .what | contains("tcp_fin_timeout"))'

# The server has no shortage.
audit "$SERVER" 1
no_warnings

lab_pass
