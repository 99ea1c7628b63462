#!/usr/bin/env bash
# A namespace where nothing happens: no warning, and the whole documented shape.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"

lab_open idle

shape() {
	json "$2" -e >/dev/null || fail "$1: not $2"
}

audit "$SERVER" 0
no_warnings
shape "keys" '[keys[]] | contains(["schema", "host", "states", "listeners", "sysctls", "settings", "findings",
	"not_evaluated", "summary"])'
shape "host" '.host | (.hostname | type == "string") and (.kernel | type == "string")
	and .mem_total_bytes > 0 and .cpus > 0 and (.boot_id | test("^[0-9a-f-]{36}$"))
	and .uptime_seconds > 0 and .source == "live"
	and (.taken_at | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"))'
shape "netns" ".host.netns | .name == \"$SERVER\" and .initial == false and (.inode | type == \"number\")"
shape "states" '.states | (.counts | keys_unsorted | sort == (["ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1",
	"FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"] | sort))
	and all(.counts[]; . == 0) and (.method | IN("derived", "exact")) and (.elapsed_seconds | type == "number")'
shape "listeners" '.listeners == []'
shape "sysctls" '(.sysctls | length >= 50) and all(.sysctls[]; has("key") and has("value")
	and (.scope | IN("netns", "host")) and has("next_boot") and has("drift"))'
shape "a number" '.sysctls[] | select(.key == "net.core.somaxconn") | .value == 4096'
shape "a list" '.sysctls[] | select(.key == "net.ipv4.ip_local_port_range") | .value == [32768, 60999]'
shape "summary" '.summary | (.critical == 0) and (.warning == 0) and has("advice") and has("info")'
shape "one look has no rates" 'any(.not_evaluated[]; .id == "listen-overflows" and (.reason | length > 0))'

# With an interval there are rates, and nothing is wrong either.
audit "$SERVER" 1
no_warnings
shape "rates" 'all(.not_evaluated[]; .id != "listen-overflows")'
shape "by default nothing is exported to the next boot" 'all(.sysctls[]; .drift != true)'

# Two looks at one thing say the same.
audit "$CLIENT" 0
no_warnings

lab_pass
