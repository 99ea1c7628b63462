#!/usr/bin/env bash
# Two listeners, two troubles: one's accept queue is full, the other is flooded without cookies. Each is told, each of
# its own listener, and neither hides the other.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open two-listeners

set_sysctl "$SERVER" net.ipv4.tcp_syncookies=0
ip_in "$SERVER" route add 10.9.0.0/16 via "$CLIENT4"
ip_in "$CLIENT" route add blackhole 10.9.0.0/16

# Dual-stack, and its clients come by IPv4.
actor "$SERVER" listen --address :: --port 7000 --backlog 4 --no-accept
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 45 --nonblocking --hold
actor "$SERVER" listen --address :: --port 7001 --backlog 64 --accept-and-hold
BEFORE=$(counter "$SERVER" TcpExtTCPReqQFullDrop)
dropped_beyond() {
	(($(counter "$SERVER" TcpExtTCPReqQFullDrop) > $1))
}
actor "$CLIENT" synflood --to "$SERVER4" --port 7001 --rate 200 --count 4000 --spoof-net 10.9.0.0/16
await "dropped SYNs" 5 dropped_beyond "$BEFORE"
audit "$SERVER" 2
nothing_else accept-queue-full listener-syn-drops
finding_present accept-queue-full critical queue '== 5'
finding_that accept-queue-full '.subject | contains("7000")'
finding_present listener-syn-drops critical
finding_that listener-syn-drops '.subject | contains("7001")'
finding_explained syncookies-off listener-syn-drops

lab_pass
