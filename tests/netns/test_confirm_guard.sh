#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq has variables of its own; a subshell's environment is meant
# The guard of --confirm-within: whatever is killed, the values are back within a second of the deadline, or as soon as
# the next command comes. What it holds, and what it lets go.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=confirm.sh
. "$(dirname "$0")/confirm.sh"
MOST_LATE_MS=1000
worst=0 runs=0
in_time() { # WHAT
	await_put_back
	echo "$1: $late_ms ms after the deadline"
	((late_ms <= MOST_LATE_MS)) || fail "$1: put back $late_ms ms after the deadline"
	((late_ms > worst)) && worst=$late_ms
	runs=$((runs + 1))
	no_guard "$1"
	last_state undone
	[[ $(last_error) == "not confirmed in time; put back" ]] || fail "$1: $(last_error)"
	ck_state "$WORK/old" "$1"
}

# --- what it is ----------------------------------------------------------------------------------------------------

begun=$(now_us)
said=$("$TCPTUNE" apply "${FIRST[@]}" --confirm-within 30 2>&1) || fail "apply: $said"
((($(now_us) - begun) < 15000000)) || fail "the guard holds the pipe of who asked"
guard=$(guards)
[[ $(readlink "/proc/$guard/cwd") == / && $(readlink "/proc/$guard/fd/0") == /dev/null ]] || fail "its folder, its input"
for fd in "/proc/$guard/fd"/*; do
	to=$(readlink "$fd")
	case $to in
	/ | /dev/null | pipe:* | anon_inode:*) ;;
	*) fail "the guard holds $to" ;;
	esac
done
read -r _ _ _ _ group session terminal _ <"/proc/$guard/stat"
[[ $session != "$$" && $terminal == 0 ]] || fail "it has our session, or a terminal"
[[ $session != "$guard" && $group == "$session" ]] || fail "the leader of a session may get a terminal"
flock -n /run/tcptune.lock true || fail "the guard holds the lock"
for signal in HUP PIPE; do kill -s $signal "$guard"; done
sleep 0.1
[[ $(guards) == "$guard" ]] || fail "a signal of the terminal ends it"
grep -q '^SigBlk:	0*$' "/proc/$guard/status" || fail "signals are blocked in it"
run 0 confirm
no_guard "confirmed"
reset "what it is"

# --- everything else is killed -------------------------------------------------------------------------------------

# The process group of apply, right after it.
for i in 1 2 3; do
	setsid "$BASH" -c '"$TCPTUNE" apply "$@" >"$WORK/out" 2>&1; : >"$WORK/applied"; sleep 60' bash \
		"${FIRST[@]}" --confirm-within 2 &
	leader=$!
	while [[ ! -e $WORK/applied ]]; do sleep 0.01; done
	rm "$WORK/applied"
	kill -KILL -- "-$leader"
	wait "$leader" 2>/dev/null
	in_force "the process group killed ($i)"
	in_time "the process group killed ($i)"
done

# The terminal goes: everything of its session gets SIGHUP.
if command -v script >/dev/null; then
	script -qec "'$TCPTUNE' apply ${FIRST[*]} --confirm-within 3; kill -KILL \$PPID" /dev/null >/dev/null 2>&1 </dev/null &
	wait $! 2>/dev/null
	in_time "the terminal closed"
else
	echo "left out: there is no script(1), so no terminal to close"
fi

# apply itself, between the begin record and the "waiting" record: at each write and each read of it. The calls of the
# guard's image are not counted.
run 0 apply "${FIRST[@]}" --confirm-within 30
reset "counting"
(
	[[ -z ${TCT_SANITIZED-} ]] || export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
	strace -o "$WORK/trace" -e trace=write,fsync "$TCPTUNE" apply "${FIRST[@]}" --confirm-within 30 >/dev/null
) || fail "strace"
reset "counting"
mapfile -t writes < <(grep -n '^write(' "$WORK/trace" | grep -v '^[0-9]*:write(1,')
total=${#writes[@]}
((total == 9)) || fail "a begin record, seven values and a waiting record are $total writes"
for n in 2 5 9; do
	(
		[[ -z ${TCT_SANITIZED-} ]] || export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
		strace -o /dev/null -e trace=write -e inject="write:signal=KILL:when=$n" "$TCPTUNE" apply "${FIRST[@]}" \
			--confirm-within 3 >/dev/null 2>&1
	) 2>/dev/null
	[[ $(guards | wc -l) == 1 ]] || is_over || fail "killed at write $n: there is no guard"
	until_deadline
	no_guard "killed at write $n"
	ck_state "$WORK/old" "apply killed at write $n of $total"
	last_state undone
done

# --- the guard is killed: the next command puts it right -----------------------------------------------------------

for next in apply confirm rollback; do
	unguarded "${FIRST[@]}"
	waits=$(jq .transaction "$WORK/out")
	until_deadline
	[[ $(</proc/sys/net/core/somaxconn) == 16384 ]] || fail "who put it back?"
	run 1 check --profile "$WORK/second.yaml" --json
	json ".waiting.transaction == $waits and .waiting.expired"
	last_state waiting # looking changes nothing
	case $next in
	apply)
		run 1 apply "${SECOND[@]}" --dry-run --json
		json ".expired == $waits and .refused == []"
		run 0 apply "${SECOND[@]}" --json
		json ".changed and .expired == $waits and .transaction == $waits + 1"
		run 0 rollback
		;;
	confirm)
		run 3 confirm --json
		grep -q "its time was over at" "$WORK/err" || fail "the reason"
		json ".changed and .expired == $waits and .confirmed == null"
		run 3 confirm "$waits"
		;;
	rollback)
		run 0 rollback --json
		json ".changed and .expired == $waits and .undid == $waits and .transaction == null"
		;;
	esac
	ck_state "$WORK/old" "put back by the next $next"
done
# Every value is as asked, but the next command takes them back: that is no "yes".
unguarded --profile "$WORK/first.yaml"
code=0
"$TCPTUNE" check >"$WORK/out" 2>"$WORK/err" || code=$?
[[ $code == 0 ]] || is_over || fail "check while it waits: exit $code"
until_deadline
run 1 check --json
json '(.conforms | not) and .waiting.expired and ([.settings[].live_ok] | all)'
run 0 rollback
ck_state "$WORK/old" "a deadline that nobody kept"

# --- the deadline while another tcptune is at work -----------------------------------------------------------------

for seconds in 2 10 60; do
	run 0 apply "${FIRST[@]}" --confirm-within $seconds
	holder
	is_over || break
	let_go
	run 0 rollback
done
until_deadline
sleep 0.3
[[ $(</proc/sys/net/core/somaxconn) == 16384 ]] || fail "put back without the lock"
released=$(now_us)
let_go
await_put_back
late_ms=$((($(now_us) - released) / 1000))
((late_ms <= MOST_LATE_MS)) || fail "$late_ms ms after the lock was free"
no_guard "a busy lock"
ck_state "$WORK/old" "a busy lock"

# --- the journal can't be written any more -------------------------------------------------------------------------

run 0 apply "${FIRST[@]}" --confirm-within 2
mount -o remount,ro /var/lib || fail "remount"
in_time_without_record() {
	await_put_back
	((late_ms <= MOST_LATE_MS)) || fail "a read-only journal: $late_ms ms after the deadline"
}
in_time_without_record
last_state waiting
mount -o remount,rw /var/lib || fail "remount"
no_guard "the journal can be written again"
last_state undone
ck_state "$WORK/old" "a read-only journal"

# --- no guard, no change -------------------------------------------------------------------------------------------

refused_whole() { # WHAT
	[[ $code == 3 ]] || fail "$1: exit $code"
	grep -q 'nothing could be set up that puts the values back in time' "$WORK/err" || fail "$1: the reason"
	ck_state "$WORK/old" "$1"
	last_state undone
	no_guard "$1"
}
for call in clone:error=EAGAIN pipe2:error=EMFILE; do
	code=0
	(
		[[ -z ${TCT_SANITIZED-} ]] || export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
		strace -o /dev/null -e trace="${call%:*},clone3,fork" -e inject="$call" "$TCPTUNE" apply "${FIRST[@]}" \
			--confirm-within 30 >"$WORK/out" 2>"$WORK/err"
	) || code=$?
	refused_whole "$call"
done
# In its own image, too: not there, no session, no timer (without inotify it would only sleep through).
traced -e trace=execve -P /proc/self/exe -e inject=execve:error=ENOENT -- apply "${FIRST[@]}" --confirm-within 30
refused_whole "no image"
traced -e trace=setsid -e inject=setsid:error=EPERM -- apply "${FIRST[@]}" --confirm-within 30
refused_whole "no session"
traced -e trace=timerfd_create -e inject=timerfd_create:error=EMFILE -- apply "${FIRST[@]}" --confirm-within 30
refused_whole "no timer"

# Without inotify it can't see that it isn't needed any more; at the deadline it does.
traced -e trace=inotify_init1 -e inject=inotify_init1:error=EMFILE -- apply "${FIRST[@]}" --confirm-within 3
[[ $code == 0 ]] || fail "without inotify: exit $code"
no_guard "without inotify"
ck_state "$WORK/old" "without inotify"

# A value that the kernel refuses: everything back, and the guard goes.
traced -e trace=write -P /proc/sys/net/ipv4/tcp_fin_timeout -e inject=write:error=EIO -- apply "${FIRST[@]}" \
	--confirm-within 30
[[ $code == 3 ]] || fail "a failed write: exit $code"
no_guard "a failed write"
last_state undone
ck_state "$WORK/old" "a failed write"

# --- in two namespaces at once -------------------------------------------------------------------------------------

ip netns add tct-guard || fail "ip netns add"
in_netns tct-guard "$TCPTUNE" apply --profile "$WORK/second.yaml" --confirm-within 3 >/dev/null || fail "apply there"
run 0 apply "${FIRST[@]}" --confirm-within 3
# Nothing but its guard is in it, and no name is left: the namespace lives on until the values are back.
ip netns del tct-guard
in_time "two namespaces"
for ((i = 0; i < 100; i++)); do
	both=$("$TCPTUNE" history --json | jq '[.transactions[:2][] | .error] | unique == ["not confirmed in time; put back"]')
	[[ $both == true ]] && break
	sleep 0.02
done
[[ $both == true ]] || fail "the other namespace's"

echo "$runs times put back, $worst ms after the deadline at most"
