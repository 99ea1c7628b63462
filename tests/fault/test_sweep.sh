#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq has variables of its own; a subshell's environment is meant
# The fault sweep: apply and rollback killed, or failing, at every call that matters. Whatever happens, the next run
# leaves the old state or the new one. TCT_STEP: every how many-th of the calls that only look (1 = all; default 53).
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"

# --- killed, or failing, at every call -----------------------------------------------------------------------------

# Two journeys: from nothing to the first profile, and from the first to the second, with a drop-in to replace.
writing=(write fsync renameat linkat unlinkat)
looking=(openat close read newfstatat)
step_of() {
	local call
	for call in "${looking[@]}"; do
		[[ $1 == "$call" ]] && echo "${TCT_STEP:-53}" && return
	done
	echo 1
}

old=0 new=0 mixed=0 points=0
count() { # EXPECTED ("old", "new" or "any") WHAT
	local found=mixed
	state >"$WORK/now"
	cmp -s "$WORK/now" "$WORK/from" && found=old
	cmp -s "$WORK/now" "$WORK/to" && found=new
	[[ $1 == any || $found == "$1" ]] || found=mixed
	case $found in
	old) old=$((old + 1)) ;;
	new) new=$((new + 1)) ;;
	*)
		mixed=$((mixed + 1))
		diff -u "$WORK/from" "$WORK/now" >&2
		echo "MIXED: $2" >&2
		;;
	esac
	points=$((points + 1))
}

begin_journey() { # 1 or 2
	reset "journey $1"
	state >"$WORK/from"
	GO=("${FIRST[@]}")
	if [[ $1 == 2 ]]; then
		run 0 apply "${FIRST[@]}"
		state >"$WORK/from"
		GO=("${SECOND[@]}")
	fi
	run 0 apply "${GO[@]}"
	state >"$WORK/to"
	run 0 rollback
}
go_back() { # to the journey's beginning
	state >"$WORK/now"
	cmp -s "$WORK/now" "$WORK/from" || run 0 rollback
	state >"$WORK/now"
	diff -u "$WORK/from" "$WORK/now" >&2 || fail "back to the beginning after $1"
}

newest() { "$TCPTUNE" history --json | jq '.transactions[0].id'; }
calls() { # SYSCALL WORDS...: how often it is made
	local call=$1
	shift
	traced -e trace="$call" -- "$@"
	total=$(grep -c "$call(" "$WORK/trace")
}

for journey in 1 2; do
	begin_journey $journey
	for call in "${writing[@]}" "${looking[@]}"; do
		calls "$call" apply "${GO[@]}"
		go_back "counting $call"
		((journey == 1 || total > 0)) || fail "no $call in an apply"
		for ((n = 1; n <= total; n += $(step_of "$call"))); do
			for then in apply rollback; do
				base=$(newest)
				traced -e trace="$call" -e inject="$call:signal=KILL:when=$n" -- apply "${GO[@]}"
				[[ $code == 137 ]] || fail "SIGKILL at $call $n of $total: exit $code"
				if [[ $then == apply ]]; then
					run 0 apply "${GO[@]}"
					count new "journey $journey: SIGKILL at $call $n, then apply"
				else
					# Before its record is written there is nothing of this apply to undo.
					[[ $(newest) == "$base" ]] || run 0 rollback
					count old "journey $journey: SIGKILL at $call $n, then rollback"
				fi
				go_back "SIGKILL at $call $n, then $then"
			done
		done
	done
done

# Killed in the middle, and the one that puts it right killed, too.
calls write apply "${GO[@]}"
go_back "counting"
middle=$((total / 2))
for call in "${writing[@]}"; do
	for ((n = 1; n <= 12; n++)); do
		traced -e trace=write -e inject="write:signal=KILL:when=$middle" -- apply "${GO[@]}"
		[[ $code == 137 ]] || fail "SIGKILL at write $middle: exit $code"
		traced -e trace="$call" -e inject="$call:signal=KILL:when=$n" -- rollback
		last=$code
		[[ $last == 0 ]] || run 0 apply "${GO[@]}"
		count "$([[ $last == 0 ]] && echo old || echo new)" "SIGKILL at write $middle, then in recovery at $call $n"
		go_back "SIGKILL in recovery at $call $n"
		[[ $last != 0 ]] || break
	done
done

# Rollback killed.
for call in "${writing[@]}"; do
	run 0 apply "${GO[@]}"
	calls "$call" rollback
	go_back "counting $call"
	for ((n = 1; n <= total; n++)); do
		run 0 apply "${GO[@]}"
		traced -e trace="$call" -e inject="$call:signal=KILL:when=$n" -- rollback
		[[ $code == 137 ]] || fail "rollback, SIGKILL at $call $n: exit $code"
		run 0 apply "${GO[@]}"
		count new "rollback, SIGKILL at $call $n"
		go_back "rollback, SIGKILL at $call $n"
	done
done

# Calls that fail. A leftover temporary file may wait for the next run, a change never.
for journey in 1 2; do
	begin_journey $journey
	for fault in write:EIO write:ENOSPC write:EINTR fsync:EIO fsync:EINTR renameat:EIO renameat:EINTR linkat:EPERM \
		unlinkat:EROFS fchmod:EPERM ftruncate:EIO openat:EMFILE openat:EACCES openat:EINTR read:EIO read:EINTR \
		close:EIO newfstatat:EIO flock:EINTR; do
		call=${fault%:*}
		calls "$call" apply "${GO[@]}"
		go_back "counting $call"
		for ((n = 1; n <= total; n += $(step_of "$call"))); do
			traced -e trace="$call" -e inject="$call:error=${fault#*:}:when=$n" -- apply "${GO[@]}"
			state | sed '/^\.99-tcptune\.conf\.\(new\|old\)$/d' >"$WORK/now"
			cmp -s "$WORK/now" "$WORK/from" && found=old
			cmp -s "$WORK/now" "$WORK/to" && found=new
			[[ $code != 0 || $found == new ]] || fail "journey $journey, $fault at $n: exit 0, but $found"
			[[ $code != 3 || $found == old ]] || fail "journey $journey, $fault at $n: exit 3, but $found"
			[[ $code != 4 ]] || fail "journey $journey, $fault at $n: exit 4 for one fault"
			run 0 apply "${GO[@]}"
			count new "journey $journey: $fault at $n, then apply"
			go_back "$fault at $n"
		done
	done
done

echo "points tried: $points, old: $old, new: $new, mixed: $mixed"
[[ $mixed == 0 ]] || fail "$mixed mixed states"
