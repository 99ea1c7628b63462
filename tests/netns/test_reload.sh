#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq has variables of its own; a subshell's environment is meant
# What the man page says of real servers: after somaxconn was raised, a reload of nginx or haproxy leaves their listening
# sockets as they are, and apply names them; a restart doesn't.
set -u
if [[ ${1-} != inside ]]; then
	: "${TCPLAB:?the actor of the lab}"
	lab_die() {
		printf 'FAILED: %s\n' "$*" >&2
		exit 1
	}
	lab_skip() {
		echo "skipped: $*"
		exit 77
	}
	# shellcheck source-path=SCRIPTDIR source=../lab/servers.sh
	. "$(dirname "$0")/../lab/servers.sh"
	server_program nginx nginx
	export NGINX=${SERVER_PROGRAM[*]}
	server_program haproxy haproxy
	export HAPROXY=${SERVER_PROGRAM[*]}
fi
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
read -r -a nginx <<<"$NGINX"
read -r -a haproxy <<<"$HAPROXY"

cat >"$WORK/nginx.conf" <<END
user root;
daemon off;
worker_processes 1;
pid $WORK/nginx.pid;
error_log $WORK/nginx.log;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path $WORK/body;
	proxy_temp_path $WORK/proxy;
	fastcgi_temp_path $WORK/fastcgi;
	uwsgi_temp_path $WORK/uwsgi;
	scgi_temp_path $WORK/scgi;
	server { listen 127.0.0.1:8080 backlog=32768; }
}
END
cat >"$WORK/haproxy.cfg" <<END
global
	stats socket $WORK/haproxy.sock mode 600 level admin expose-fd listeners
defaults
	mode tcp
	timeout connect 1s
	timeout client 1s
	timeout server 1s
frontend front
	bind 127.0.0.1:8081 backlog 32768
	default_backend back
backend back
	server none 127.0.0.1:9
END

backlog() { ss -Hltn "sport = :$1" | awk '{ print $3 }'; } # PORT
await() { # WHAT COMMAND...
	local what=$1 i
	shift
	for ((i = 0; i < 500; i++)); do
		"$@" && return
		sleep 0.02
	done
	fail "waiting for $what"
}
listens() { [[ -n $(backlog "$1") ]]; }
workers() { cat "/proc/$1/task/$1/children"; } # PID
start() {
	"${nginx[@]}" -e "$WORK/nginx.log" -p "$WORK" -c "$WORK/nginx.conf" >"$WORK/nginx.out" 2>&1 &
	NGINX_PID=$!
	"${haproxy[@]}" -W -f "$WORK/haproxy.cfg" -p "$WORK/haproxy.pid" >"$WORK/haproxy.out" 2>&1 &
	HAPROXY_PID=$!
	await nginx listens 8080
	await haproxy listens 8081
	await "nginx's worker" has_worker "$NGINX_PID"
	await "haproxy's worker" has_worker "$HAPROXY_PID"
}
has_worker() { [[ -n $(workers "$1") ]]; }
has_other_worker() { # PID OLD...
	[[ -n $(workers "$1") && $(workers "$1") != *"$2"* ]]
}
stop() {
	kill "$NGINX_PID" "$HAPROXY_PID" 2>/dev/null
	wait "$NGINX_PID" "$HAPROXY_PID"
}
trap stop EXIT

set_value net/core/somaxconn 4096
start
[[ $(backlog 8080) == 4096 && $(backlog 8081) == 4096 ]] || fail "the servers' limits: $(backlog 8080), $(backlog 8081)"

run 0 apply "${FIRST[@]}" --json
json '[.restart_needed[] | [.comm, .port, .backlog, .limit]] ==
	[["haproxy", 8081, 4096, 16384], ["nginx", 8080, 4096, 16384]]'
nginx_worker=$(workers "$NGINX_PID")
haproxy_worker=$(workers "$HAPROXY_PID")
kill -HUP "$NGINX_PID"
kill -USR2 "$HAPROXY_PID"
await "nginx's reload" has_other_worker "$NGINX_PID" "${nginx_worker%% *}"
await "haproxy's reload" has_other_worker "$HAPROXY_PID" "${haproxy_worker%% *}"
[[ $(backlog 8080) == 4096 ]] || fail "nginx's reload calls listen() again: say so in the man page"
[[ $(backlog 8081) == 4096 ]] || fail "haproxy's reload calls listen() again: say so in the man page"

# nginx does when its own limit changes.
sed -i 's/backlog=32768/backlog=20000/' "$WORK/nginx.conf"
kill -HUP "$NGINX_PID"
nginx_listens_anew() { [[ $(backlog 8080) == 16384 ]]; }
await "nginx with another backlog=" nginx_listens_anew

stop
start
[[ $(backlog 8080) == 16384 && $(backlog 8081) == 16384 ]] || fail "a restart takes the new limit"
