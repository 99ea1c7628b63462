#!/usr/bin/env bash
# redis told to do without keepalive, and clients that say nothing.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=servers.sh
. "$(dirname "$0")/servers.sh"

lab_open server-redis

server_program redis-server redis-server redis-tools
mkdir "$LAB_DIR/redis"
redis() { # TCP-KEEPALIVE
	program "$SERVER" "${SERVER_PROGRAM[@]}" --bind "$SERVER4" --port 6379 --protected-mode no --tcp-keepalive "$1" \
		--save '' --appendonly no --daemonize no --dir "$LAB_DIR/redis"
	await "redis" 10 listening "$SERVER" 6379
}

redis 300
REDIS=$PROGRAM_PID
actor "$CLIENT" connect --to "$SERVER4" --port 6379 --count 130 --hold --keepalive
CLIENTS=$ACTOR_PID
await "130 clients" 5 states_are "$SERVER" 130 state established
sleep 2.5
audit "$SERVER" 1 --var idle_after=2s
no_warnings
actor_stop "$CLIENTS"
actor_stop "$REDIS"

redis 0
actor "$CLIENT" connect --to "$SERVER4" --port 6379 --count 130 --hold --keepalive
await "130 clients" 5 states_are "$SERVER" 130 state established
sleep 2.5
audit "$SERVER" 1 --var idle_after=2s
only_finding keepalive-missing 'redis' application
finding_that keepalive-missing 'tostring | contains("6379")'
finding_that keepalive-missing '.remedy.application | contains("SO_KEEPALIVE")'
finding_that keepalive-missing '.remedy.application | ascii_downcase | contains("tcp-keepalive")'
audit "$CLIENT" 1 --var idle_after=2s
no_warnings

lab_pass
