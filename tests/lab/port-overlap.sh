#!/usr/bin/env bash
# A service's fixed port inside the range from which the kernel takes ports for outgoing connections.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open port-overlap

actor "$SERVER" listen --address "$SERVER4" --port 7000 --accept-and-hold
actor "$SERVER" listen --address "$SERVER4" --port 0 --accept-and-hold
CHOSEN=$(sed -n 's/^ready port=//p' "$ACTOR_OUT")
expect "a port from the range" "$CHOSEN" -ge 32768
audit "$SERVER" 0
finding_absent port-overlap

actor "$SERVER" listen --address "$SERVER4" --port 40000 --accept-and-hold
actor "$SERVER" listen --address :: --v6only --port 40000 --accept-and-hold
audit "$SERVER" 0
finding_present port-overlap warning
nothing_else port-overlap
finding_that port-overlap '.subject | tostring | contains(":40000")'
finding_that port-overlap 'tostring | contains("ip_local_reserved_ports")'

set_sysctl "$SERVER" net.ipv4.ip_local_reserved_ports=39999-40001
audit "$SERVER" 0
finding_absent port-overlap

set_sysctl "$SERVER" net.ipv4.ip_local_reserved_ports=39999,40001
audit "$SERVER" 0
finding_present port-overlap warning
nothing_else port-overlap

set_sysctl "$SERVER" "net.ipv4.ip_local_port_range=41000 60999"
audit "$SERVER" 0
finding_absent port-overlap

# The same over IPv6.
actor "$SERVER" listen --address "$SERVER6" --port 50000 --accept-and-hold
audit "$SERVER" 0
finding_present port-overlap warning
nothing_else port-overlap
finding_that port-overlap '.subject | tostring | contains("50000")'

lab_pass
