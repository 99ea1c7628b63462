#!/usr/bin/env bash
# shellcheck disable=SC2016 # awk and jq have variables of their own
# How long tcptune takes, and how much memory, where `ss | awk`, `netstat | awk` and `lsof -i` take long, and how long an
# apply that has nothing to do beside `sysctl -p`; each measured in the same run, alternately. By hand, on a machine that has nothing else to do:
#
#   cmake --preset bench && cmake --build --preset bench && ctest --preset bench
#   TCPTUNE=build/bench/tcptune TCPHERD=build/bench/tests/tcpherd TIMED=build/bench/tests/timed \
#       tests/bench/run.sh [--rounds N] [--only POPULATION] [--percent P] [--json FILE]
#
# Populations, which tcpherd makes (tests/bench/herd.h):
#   million     1,000,000 ESTABLISHED sockets, both ends of 500,000 connections over lo (3 GB of memory)
#   server      1,000,000 accepted connections, whose clients are elsewhere (6 GB; only if asked for)
#   port        200,000 ESTABLISHED sockets on one port, the same way
#   namespaces  1,000 empty namespaces, half of them named, half held by a process, beside 18,000 sockets
#   timewait    100,000 sockets in TIME_WAIT
#   proxy       200,000 outgoing connections to ten destinations
#   nothing     no sockets: what configuration management runs again and again
# Times are medians of the rounds (default 3), by the wall; "1/20" is a twentieth of the other's; "of CPU" compares the
# processor time, which tells more where somebody else is at work too, but is not judged. What tcptune answers is
# checked as well: quick and wrong is a failure. What it has not yet is told, and is none.
# --percent makes smaller populations, to try the script: then no bound on time is judged.
#
# All of it runs in network, mount and process namespaces made here: nobody else's sockets, processes or namespaces
# count, and whatever ends the script ends it all. Exit: 0 every bound holds, 1 one is missed or an answer is wrong,
# 2 bad usage, 77 a tool is missing or namespaces are refused. Needs root.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../namespaces.sh
. "$(dirname "${BASH_SOURCE[0]}")/../namespaces.sh"

ROUNDS=3
PERCENT=100
POPULATIONS=(million port namespaces timewait proxy nothing) # and server, which is large
SOCKET_KB=3 # what the kernel takes for one that is idle, with its file
ONLY=()
JSON=
PORT=8080
MOST_MB=12
SHORT=15 # what takes milliseconds is measured so often in a round

die() { # CODE WORDS...
	echo "bench: ${*:2}" >&2
	exit "$1"
}

whole() { # NAME VALUE LEAST MOST
	if ! [[ $2 =~ ^[0-9]{1,4}$ ]] || ((10#$2 < $3 || 10#$2 > $4)); then
		die 2 "$1 takes a number from $3 to $4"
	fi
}

parse() {
	while (($#)); do
		(($# > 1)) || die 2 "$1: not expected, or it needs a value"
		case $1 in
		--rounds)
			whole "$1" "$2" 1 99
			ROUNDS=$2
			;;
		--percent)
			whole "$1" "$2" 1 100
			PERCENT=$2
			;;
		--only)
			[[ " ${POPULATIONS[*]} server " == *" $2 "* ]] ||
				die 2 "there are the populations ${POPULATIONS[*]} server"
			ONLY+=("$2")
			;;
		--json) JSON=$(realpath -m -- "$2") ;;
		*) die 2 "$1: not expected" ;;
		esac
		shift 2
	done
	((${#ONLY[@]})) || ONLY=("${POPULATIONS[@]}")
}

# --- outside ---

if [[ ${1-} != inside ]]; then
	parse "$@"
	for tool in ip ss netstat lsof jq awk sysctl unshare nsenter setpriv; do
		command -v "$tool" >/dev/null || {
			echo "bench: skipped, $tool is needed (netstat is in net-tools)"
			exit 77
		}
	done
	: "${TCPTUNE:?the program to measure}" "${TCPHERD:?the generator}" "${TIMED:?the stopwatch}"
	TCPTUNE=$(realpath "$TCPTUNE") TCPHERD=$(realpath "$TCPHERD") TIMED=$(realpath "$TIMED")
	export TCPTUNE TCPHERD TIMED
	propagation=$(own_propagation) || {
		echo "bench: skipped, may not make namespaces"
		exit 77
	}
	# unshare itself does not listen to SIGTERM.
	setpriv --pdeathsig KILL unshare -n -m -p --fork --kill-child --propagation "$propagation" \
		"$BASH" "$0" inside "$@" &
	inside=$!
	trap 'kill -KILL "$inside"; exit 1' INT TERM HUP
	wait "$inside"
	exit
fi

# --- inside ---

shift
parse "$@"
# What is written goes with the namespace; the result alone stays.
[[ -z $JSON ]] || exec 3>"$JSON"
mount -t proc proc /proc || die 1 "mount /proc"
mount -t tmpfs tmpfs /run || die 1 "mount /run"
WORK=/run/bench
ROWS=$WORK/rows # one JSON object a line
mkdir /run/netns "$WORK"
: >"$ROWS"
ip link set lo up
HERD=
HELD=()

scaled() { # COUNT
	echo $(($1 * PERCENT / 100))
}

# herd KIND COUNT WORDS...: make a population. Its namespace is that of the process $HERD.
herd() {
	local ticks available_kb needed_kb=$(($2 * 2 * SOCKET_KB))
	available_kb=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
	if ((available_kb < needed_kb * 3 / 2)); then
		echo "bench: skipped, $1 $2 needs $((needed_kb / 1024)) MB, with half as much to spare"
		exit 77
	fi
	: >"$WORK/herd"
	"$TCPHERD" "$1" --count "$2" "${@:3}" --port "$PORT" --for 1800 >"$WORK/herd" 2>&1 &
	HERD=$!
	for ((ticks = 0; ticks < 6000; ticks++)); do
		if grep -q '^ready' "$WORK/herd"; then
			echo "bench: $*: $(grep -o 'inuse.*' "$WORK/herd")" >&2
			return 0
		fi
		kill -0 "$HERD" 2>/dev/null || break
		sleep 0.1
	done
	die 1 "tcpherd $*: $(<"$WORK/herd")"
}

herd_end() {
	kill "$HERD" 2>/dev/null || true
	wait "$HERD" 2>/dev/null || true
	rm -f -- "$WORK"/*.times "$WORK"/*.wrong
}

# note LABEL WALL USER SYSTEM PEAK_KB
note() {
	printf '{"wall": %s, "user": %s, "system": %s, "peak_kb": %s}\n' "${@:2}" >>"$WORK/$1.times"
}

# measure LABEL COMMAND...: run it where the herd is and note its times. Its output is in $WORK/LABEL.out.
measure() {
	local label=$1 said wall user system peak status
	shift
	said=$(nsenter --net="/proc/$HERD/ns/net" -- "$TIMED" "$WORK/$label.out" "$@" 2>"$WORK/$label.err") ||
		die 1 "$*: $(<"$WORK/$label.err")"
	read -r wall user system peak status <<<"$said"
	((status == 0)) || die 1 "$* ended with $status: $(head -c 500 "$WORK/$label.err")"
	note "$label" "$wall" "$user" "$system" "$peak"
}

# What people type. lsof's exit code tells nothing here.
measure_ss() { measure ss sh -c 'ss -Htan | awk "{c[\$1]++} END{for(s in c) print s, c[s]}"'; }
measure_netstat() { measure netstat sh -c 'netstat -nat | awk "{c[\$6]++} END{for(s in c) print s, c[s]}"'; }
measure_lsof() { measure lsof sh -c "lsof -nP -i:$PORT; true"; }
measure_audit() {
	measure audit "$TCPTUNE" audit --interval 0 --json
	note census "$(jq '.states.elapsed_seconds' "$WORK/audit.out")" 0 0 0
}

# must_say LABEL FILTER [JQ-OPTION...]: what it answered last must fulfil the filter.
must_say() {
	local file=$WORK/$1.out
	if ! jq -e "${@:3}" "$2" "$file" >/dev/null; then
		echo "bench: $1: not so: $2 ${*:3}: $(head -c 1000 "$file")" >&2
		: >"$WORK/$1.wrong"
	fi
}

has() { # WORD COMMAND...: tcptune's help of the command knows the word
	"$TCPTUNE" "${@:2}" --help 2>/dev/null | grep -q -e "$1"
}

# row POPULATION COMMAND LABEL OTHER OTHERS_LABEL FACTOR SECONDS: one line of the table. At most a FACTOR-th of the
# other's time and at most SECONDS are wanted; null = as it comes. No OTHERS_LABEL: nothing to compare with.
row() {
	local answered=true other=/dev/null
	[[ ! -e $WORK/$3.wrong ]] || answered=false
	[[ -z $5 ]] || other=$WORK/$5.times
	jq -cn --arg population "$1" --arg command "$2" --arg other "$4" --argjson factor "$6" --argjson limit "$7" \
		--argjson answered "$answered" --argjson most_mb "$MOST_MB" --argjson whole "$((PERCENT == 100))" \
		--slurpfile mine "$WORK/$3.times" --slurpfile others "$other" '
		def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
		def times: if length == 0 then null else {median: (map(.wall) | median), minimum: (map(.wall) | min),
			cpu_median: (map(.user + .system) | median), wall: map(.wall)} end;
		{population: $population, command: $command, seconds: ($mine | times),
		 competitor: (if $other == "" then null else $other end), competitor_seconds: ($others | times),
		 wanted_factor: $factor, wanted_seconds: $limit, peak_mb: ($mine | map(.peak_kb) | max / 1024)}
		| .factor = (if .competitor_seconds then .competitor_seconds.median / .seconds.median else null end)
		| .cpu_factor = (if .competitor_seconds and .seconds.cpu_median > 0
			then .competitor_seconds.cpu_median / .seconds.cpu_median else null end)
		| .verdict = if $answered | not then "WRONG"
			elif .peak_mb > $most_mb then "MISSED"
			elif $whole == 0 then "not judged"
			elif ($factor and .factor < $factor) or ($limit and .seconds.median > $limit) then "MISSED"
			elif $factor or $limit then "ok" else "-" end' >>"$ROWS"
}

row_absent() { # POPULATION COMMAND
	jq -cn --arg population "$1" --arg command "$2" \
		'{population: $population, command: $command, verdict: "not there yet"}' >>"$ROWS"
}

# --- the populations ---

measure_million() { # POPULATION SOCKETS
	local population=$1 sockets=$2 round counted=0
	has '' sockets && counted=1
	for ((round = 0; round < ROUNDS; round++)); do
		measure_ss
		((!counted)) || measure states "$TCPTUNE" sockets --by state --json
		measure_netstat
		measure_audit
	done
	grep -qx "ESTAB $sockets" "$WORK/ss.out" || die 1 "ss does not count $sockets: $(<"$WORK/ss.out")"
	must_say audit '.states.counts.ESTABLISHED == $n' --argjson n "$sockets"
	if ((counted)); then
		must_say states '.states.counts.ESTABLISHED == $n' --argjson n "$sockets"
		row "$population" "sockets --by state" states "ss | awk" ss 15 null
		row "$population" "sockets --by state" states "netstat | awk" netstat 25 null
	else
		row_absent "$population" "sockets --by state"
	fi
	row "$population" "audit: its state counts" census "ss | awk" ss 15 null
	row "$population" "audit: its state counts" census "netstat | awk" netstat 25 null
	row "$population" "audit --interval 0" audit "ss | awk" ss 8 null
}

make_million() {
	herd both "$(scaled 500000)"
	measure_million million "$(($(scaled 500000) * 2))"
}

make_server() {
	herd incoming "$(scaled 1000000)"
	measure_million server "$(scaled 1000000)"
}

make_port() {
	local count sockets round
	count=$(scaled 100000) sockets=$((count * 2))
	herd both "$count"
	if ! has '' sockets; then
		row_absent port "sockets --port $PORT"
		return 0
	fi
	for ((round = 0; round < ROUNDS; round++)); do
		measure_lsof
		measure port "$TCPTUNE" sockets --port "$PORT" --json
	done
	(($(wc -l <"$WORK/lsof.out") > sockets)) || die 1 "lsof does not show $sockets sockets"
	must_say port '.total >= $n' --argjson n "$sockets"
	row port "sockets --port $PORT" port "lsof -i:$PORT" lsof 10 null
}

make_namespaces() {
	local count i round
	count=$(scaled 500)
	if ! has --all-netns audit; then
		row_absent namespaces "audit --all-netns"
		return 0
	fi
	# All namespaces of a host have one hash of sockets, as a rule.
	herd both 9000 --buckets 0
	for ((i = 0; i < count; i++)); do
		ip netns add "bench$i"
		unshare -n sleep 1800 &
		HELD+=($!)
	done
	for i in "${HELD[@]}"; do
		until [[ $(readlink "/proc/$i/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.01; done
	done
	for ((round = 0; round < ROUNDS; round++)); do
		measure namespaces "$TCPTUNE" audit --all-netns --interval 0 --json
	done
	must_say namespaces '[.. | objects | .netns? | objects | .inode] | unique | length >= $n' \
		--argjson n "$((count * 2))"
	row namespaces "audit --all-netns" namespaces "" "" null 1
	kill "${HELD[@]}" 2>/dev/null || true
	wait "${HELD[@]}" 2>/dev/null || true
	for ((i = 0; i < count; i++)); do
		ip netns delete "bench$i"
	done
}

make_timewait() {
	local round
	herd timewait "$(scaled 100000)"
	for ((round = 0; round < ROUNDS; round++)); do
		measure_ss
		measure_audit
	done
	row timewait "audit --interval 0" audit "ss | awk" ss null null
}

make_proxy() {
	local count round
	count=$(scaled 200000)
	herd proxy "$count"
	for ((round = 0; round < ROUNDS; round++)); do
		measure_ss
		measure_audit
	done
	must_say audit '.states.counts.ESTABLISHED == $n' --argjson n "$count"
	row proxy "audit --interval 0" audit "ss | awk" ss null null
}

# A second apply: the first one wrote live values, drop-in and journal, in folders that are this namespace's own.
make_nothing() {
	local i keys=(--profile highconn --persist --allow-shadowed --json)
	sleep 1800 &
	HERD=$!
	mount -t tmpfs tmpfs /var/lib || die 1 "mount /var/lib"
	mount -t tmpfs tmpfs /etc/sysctl.d || die 1 "mount /etc/sysctl.d"
	[[ ! -d /etc/tcptune ]] || mount -t tmpfs tmpfs /etc/tcptune || die 1 "mount /etc/tcptune"
	measure first "$TCPTUNE" apply "${keys[@]}"
	must_say first '.changed and (.settings | all(.live_written and .persisted))'
	for ((i = 0; i < ROUNDS * SHORT; i++)); do
		measure again "$TCPTUNE" apply "${keys[@]}"
		measure sysctl sysctl -p /etc/sysctl.d/99-tcptune.conf
	done
	must_say again '(.changed | not) and .transaction == null'
	row nothing "apply, the second time" again "sysctl -p" sysctl null 0.01
}

print_table() {
	jq -r 'def seconds: if . then [.median, .minimum] | map(. * 1000 | round / 1000) | "\(.[0]) (\(.[1]))"
			else "-" end;
		def part: if . == null then "-" elif . < 1 then "\(1 / . * 10 | round / 10) x"
			else "1/\(. * 10 | round / 10)" end;
		[.population, .command, (.seconds | seconds), .competitor // "-", (.competitor_seconds | seconds),
		(.factor | part), (.cpu_factor | part), (if .wanted_seconds then "\(.wanted_seconds) s" else .wanted_factor | part end),
		(.peak_mb | if . and . > 0 then . * 10 | round / 10 else "-" end), .verdict] | @tsv' "$ROWS" | awk -F '\t' '
		BEGIN { layout = "%-11s %-24s %15s   %-14s %15s %7s %7s %7s %8s  %s\n"
			printf layout, "population", "tcptune", "seconds (least)", "competitor", "seconds (least)",
				"ratio", "of CPU", "wanted", "peak MB", "" }
		{ printf layout, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 }'
}

for population in "${ONLY[@]}"; do
	"make_$population"
	herd_end
done
printf '%s, Linux %s, %s processors, medians of %s rounds; wanted: at most %s MB\n' "$("$TCPTUNE" --version | head -1)" \
	"$(uname -r)" "$(nproc)" "$ROUNDS" "$MOST_MB"
print_table
[[ -z $JSON ]] || jq -s --arg kernel "$(uname -r)" --argjson rounds "$ROUNDS" --argjson percent "$PERCENT" \
	'{kernel: $kernel, rounds: $rounds, percent: $percent, rows: .}' "$ROWS" >&3
jq -es 'all(.[]; .verdict != "MISSED" and .verdict != "WRONG")' "$ROWS" >/dev/null
