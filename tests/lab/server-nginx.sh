#!/usr/bin/env bash
# nginx with a small backlog, under wrk, and its worker hangs.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=servers.sh
. "$(dirname "$0")/servers.sh"

lab_open server-nginx

server_program wrk wrk
WRK=("${SERVER_PROGRAM[@]}")
server_program nginx nginx
cat >"$LAB_DIR/nginx.conf" <<-NGINX
	user root;
	daemon off;
	worker_processes 1;
	pid $LAB_DIR/nginx.pid;
	error_log $LAB_DIR/nginx.log;
	events { worker_connections 256; }
	http {
		access_log off;
		client_body_temp_path $LAB_DIR/body;
		proxy_temp_path $LAB_DIR/proxy;
		fastcgi_temp_path $LAB_DIR/fastcgi;
		uwsgi_temp_path $LAB_DIR/uwsgi;
		scgi_temp_path $LAB_DIR/scgi;
		server {
			listen $SERVER4:8080 backlog=4;
			location / { return 200 "well"; }
		}
	}
NGINX
program "$SERVER" "${SERVER_PROGRAM[@]}" -e "$LAB_DIR/nginx.log" -p "$LAB_DIR" -c "$LAB_DIR/nginx.conf"
MASTER=$PROGRAM_PID
await "nginx" 10 listening "$SERVER" 8080
worker_there() {
	WORKER=$(cat "/proc/$MASTER/task/$MASTER/children")
	[[ -n $WORKER ]]
}
await "its worker" 5 worker_there
WORKER=${WORKER%% *}

# One connection for all: it is served, and well.
program "$CLIENT" "${WRK[@]}" --threads 1 --connections 1 --duration 3s "http://$SERVER4:8080/"
audit "$SERVER" 1
no_warnings
wait "$PROGRAM_PID" || fail "wrk: $(<"$PROGRAM_OUT")"
grep -q 'requests in' "$PROGRAM_OUT" || fail "wrk: $(<"$PROGRAM_OUT")"

kill -STOP "$WORKER"
program "$CLIENT" "${WRK[@]}" --threads 1 --connections 16 --duration 30s "http://$SERVER4:8080/"
queue_is_full() {
	[[ $(inside "$SERVER" ss -Hltn 'sport = :8080' | awk '{ print $2, $3 }') == "5 4" ]]
}
await "a queue of 5, its limit is 4" 10 queue_is_full
audit "$SERVER" 1
only_finding accept-queue-full ':8080' application
finding_present accept-queue-full critical queue '== 5' backlog '== 4'
finding_that accept-queue-full '.title + (.remedy | tostring) | contains("8080")'
finding_that accept-queue-full 'tostring | contains("nginx")'
finding_that accept-queue-full '.remedy.application | contains("backlog")'
finding_present app-backlog-small advice
finding_that app-backlog-small '.remedy.application | contains("nginx")'
[[ $(json '.listeners[] | select(.port == 8080) | .owner.comm') == nginx ]] ||
	fail "the listener's owner isn't nginx: $(json .listeners -c)"
kill -CONT "$WORKER"

lab_pass
