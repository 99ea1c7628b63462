#!/usr/bin/env bash
# Connection tracking nearly full. Its limit is the whole host’s, so the rule’s threshold comes down instead.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open conntrack

cut "$SERVER" tracked input 'ct state new counter'
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 4096 --accept-and-hold --keepalive
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 3000 --hold --keepalive
expect "entries" "$(inside "$SERVER" cat /proc/sys/net/netfilter/nf_conntrack_count)" -ge 3000
audit "$SERVER" 1
no_warnings
audit "$SERVER" 1 --var conntrack_high=1%
only_finding conntrack '' sysctl
finding_that conntrack '.evidence | any(.value >= 3000)'
# No tracking there.
audit "$CLIENT" 1 --var conntrack_high=1%
no_warnings

lab_pass
