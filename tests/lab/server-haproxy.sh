#!/usr/bin/env bash
# haproxy, and nobody answers for its backend.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=servers.sh
. "$(dirname "$0")/servers.sh"

lab_open server-haproxy

server_program haproxy haproxy
lab_backend
# The backend's host is gone, its network still routed.
cut "$BACKEND" gone input meta l4proto tcp drop
cat >"$LAB_DIR/haproxy.cfg" <<-HAPROXY
	global
		maxconn 2000
	defaults
		mode tcp
		timeout connect 30s
		timeout client 60s
		timeout server 60s
		retries 1
	frontend front
		bind $SERVER4:8080
		option clitcpka
		default_backend back
	backend back
		server dead $BACKEND4:8000
HAPROXY
program "$SERVER" "${SERVER_PROGRAM[@]}" -db -f "$LAB_DIR/haproxy.cfg"
await "haproxy" 10 listening "$SERVER" 8080
audit "$SERVER" 1
no_warnings

actor "$CLIENT" connect --to "$SERVER4" --port 8080 --count 120 --hold --keepalive
await "120 in SYN_SENT" 5 states_are "$SERVER" 120 state syn-sent
sleep 3
audit "$SERVER" 1
only_finding connect-failing "$BACKEND4.*8000" network
finding_that connect-failing 'tostring | contains("haproxy")'
finding_that connect-failing '.remedy.sysctls == []'
finding_that connect-failing '.remedy.commands | any(contains("tcpdump") and contains("8000"))'
audit "$CLIENT" 1
no_warnings

lab_pass
