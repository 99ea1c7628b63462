# shellcheck shell=bash
# shellcheck disable=SC2154 # WORK and the like are the stage's
# What the tests of hard paths share, over the stage: whatever is refused is told in one line, and nothing has changed.

values >"$WORK/old.values"

untouched() { # WHAT: live values as they were at the beginning, and nothing left open in the journal
	values >"$WORK/now.values"
	cmp -s "$WORK/old.values" "$WORK/now.values" || {
		diff -u "$WORK/old.values" "$WORK/now.values" >&2
		fail "live values after $1"
	}
	nothing_open "$1"
}

nothing_open() { # WHAT
	"$TCPTUNE" history --json >"$WORK/history" 2>"$WORK/history.err" || fail "the journal after $1: $(cat "$WORK/history.err")"
	jq -e '[.transactions[] | select(.state == "interrupted" or .state == "stuck")] == []' "$WORK/history" >/dev/null ||
		fail "the journal after $1 has something open"
}

one_line() { # PATTERN WHAT: that is all of standard error
	[[ $(wc -l <"$WORK/err") == 1 ]] || fail "$2: not one line"
	grep -qE -- "$1" "$WORK/err" || fail "$2: not told: $1"
}

refused() { # CODE PATTERN WHAT WORDS...
	local code=$1 pattern=$2 what=$3
	shift 3
	run "$code" "$@"
	one_line "$pattern" "$what"
	no_leftovers "$what"
}

no_leftovers() { # WHAT: no temporary files beside the drop-in
	local left
	left=$(find /etc/sysctl.d/ -maxdepth 1 -name '.*' ! -name . -printf '%p ' 2>/dev/null)
	[[ -z $left ]] || fail "left behind after $1: $left"
}

fill() { # FOLDER: not a byte left
	head -c 1M /dev/zero >"$1/.fill" 2>/dev/null
	cat /dev/zero >>"$1/.fill" 2>/dev/null
}

read_only() { # PATH: until it is unmounted
	mount --bind "$1" "$1" || fail "bind $1"
	mount -o remount,bind,ro "$1" || fail "a read-only $1"
}

# ext4 FOLDER: mount one there, in a file; fails where the kernel has none, or no loop devices.
ext4() {
	local image
	image=$(mktemp "$WORK/ext4.XXXXXX") || return
	truncate -s 8M "$image" && mkfs.ext4 -q -m 0 "$image" 2>/dev/null && mount -o loop "$image" "$1" 2>/dev/null
}

# under_strace WORDS...: becomes strace; for the background. The leak checker can't work there.
under_strace() {
	[[ -z ${TCT_SANITIZED-} ]] || export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
	exec strace -f -o "$WORK/trace" "$@"
}
