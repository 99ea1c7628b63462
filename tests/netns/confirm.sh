# shellcheck shell=bash
# shellcheck disable=SC2015,SC2016,SC2034,SC2154 # jq has variables of its own; used by who sources it; set by the stage
# What the tests of --confirm-within share; source it after the stage.

# The guards in this network namespace (other tests have some, too): their pids, one a line.
guards() {
	local folder own words
	own=$(readlink /proc/self/ns/net)
	for folder in /proc/[0-9]*; do
		[[ $(readlink "$folder/ns/net" 2>/dev/null) == "$own" ]] || continue
		words=$(tr '\0' ' ' <"$folder/cmdline" 2>/dev/null)
		[[ $words != "tcptune confirm --expire "* ]] || echo "${folder#/proc/}"
	done
}

no_guard() { # WHAT: it has ended, or does so at once
	local i
	for ((i = 0; i < 500; i++)); do
		[[ -n $(guards) ]] || return 0
		sleep 0.02
	done
	fail "$1: the guard lives on"
}

newest() { "$TCPTUNE" history --json | jq '.transactions[0].id'; }
last_state() { # STATE: of the newest apply
	local now
	now=$("$TCPTUNE" history --json | jq -r '[.transactions[] | select(.kind == "apply")][0].state')
	[[ $now == "$1" ]] || fail "the newest apply is $now, not $1"
}
last_error() { "$TCPTUNE" history --json | jq -r '[.transactions[] | select(.kind == "apply")][0].error'; }

# By the journal, microseconds since 1970.
deadline_us() { grep -o '"deadline_ns":[0-9]*' "$JOURNAL" | tail -1 | sed 's/.*://; s/...$//'; }
now_us() { echo "${EPOCHREALTIME//[!0-9]/}"; }

# Waits until somaxconn has its old value again, and leaves in late_ms how long after the deadline that was.
await_put_back() {
	local deadline now value
	deadline=$(deadline_us)
	for (( ; ; )); do
		value=$(</proc/sys/net/core/somaxconn)
		now=$(now_us)
		[[ $value != "$OLD_SOMAXCONN" ]] || break
		((now < deadline + 10000000)) || fail "not put back ten seconds after the deadline"
		sleep 0.005
	done
	late_ms=$(((now - deadline) / 1000))
	# The two clocks of a deadline are read one after the other.
	((now + 1000 >= deadline)) || fail "put back $((-late_ms)) ms before the deadline"
}
is_over() { (($(now_us) >= $(deadline_us))); }
until_deadline() {
	until is_over; do sleep 0.02; done
}
in_force() { # WHAT: it is, unless this machine was so slow that the time is over
	[[ $(</proc/sys/net/core/somaxconn) == 16384 ]] || is_over || fail "$1: it is not in force"
}

# unguarded WORDS...: apply them; the guard is dead before the time is over. A slow machine gets more time.
unguarded() {
	local seconds pid
	for seconds in 3 15 60; do
		run 0 apply "$@" --confirm-within "$seconds" --json
		pid=$(guards)
		[[ -z $pid ]] || kill -KILL "$pid"
		if ! is_over; then
			[[ -n $pid ]] || fail "no guard"
			return
		fi
		run 0 rollback
	done
	fail "a minute is over already"
}

holder() { # has the lock until let_go
	rm -f "$WORK/go" && mkfifo "$WORK/go" || fail "mkfifo"
	flock -o /run/tcptune.lock "$BASH" -c ': >"$WORK/held"; exec cat "$WORK/go"' &
	held=$!
	while [[ ! -e $WORK/held ]]; do sleep 0.01; done
	rm "$WORK/held"
}
let_go() {
	: >"$WORK/go"
	wait "$held"
}

OLD_SOMAXCONN=$(</proc/sys/net/core/somaxconn)
trap 'for pid in $(guards); do kill "$pid"; done' EXIT
