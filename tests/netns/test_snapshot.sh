#!/usr/bin/env bash
# A snapshot of a namespace full of trouble is judged the same everywhere: there, in another namespace, under another
# hostname, by a plain user, in a mount namespace with another /etc, and where there is no /proc, /sys or /etc at all.
# shellcheck source-path=SCRIPTDIR source=../lab/lib.sh disable=SC1091
. "$(dirname "$0")/../lab/lib.sh"

lab_open snapshot
export LC_ALL=C COLUMNS=100
profiles=(base highconn longlived)
work=$LAB_DIR/work
mkdir -m 755 "$work"
chmod 755 "$LAB_DIR"
cp "$TCPTUNE" "$work/tcptune"

# --- trouble -------------------------------------------------------------------------------------------------------

queue_is() {
	[[ $(inside "$SERVER" ss -Hltn "sport = :$1" | awk '{ print $2 }') == "$2" ]]
}
close_waits_are() {
	[[ $(count_state "$SERVER" state close-wait) == "$1" ]]
}

set_sysctl "$SERVER" net.ipv4.tcp_timestamps=0 net.ipv4.tcp_tw_reuse=1 net.ipv4.tcp_syncookies=0
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 10 --no-accept
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 20 --nonblocking --hold
actor "$SERVER" listen --address "$SERVER6" --port 7001 --backlog 512 --leak
actor "$CLIENT" connect --to "$SERVER6" --port 7001 --count 160 --close-after 0.2
await "a full queue" 5 queue_is 7000 11
await "160 in CLOSE_WAIT" 5 close_waits_are 160
sleep 2.5

"$TCPTUNE" snapshot --netns "$SERVER" --interval 1 -o "$work/s.json" >/dev/null || fail "no snapshot"
expect "its mode" "$(stat -c %a "$work/s.json")" -eq 600
chmod 644 "$work/s.json"

# --- what is judged is what was there ------------------------------------------------------------------------------

# signature FILE: what was found, without the numbers of the moment
signature() {
	jq -c '[.findings[] | [.id, .severity, .subject]] | sort' "$1"
}

audit "$SERVER" 1 --var close_wait_age=2s
finding_present accept-queue-full
finding_present close-wait-leak
finding_present tw-reuse-without-timestamps
signature "$AUDIT" >"$work/live"
AUDIT=$LAB_DIR/judged.json
"$TCPTUNE" audit --snapshot "$work/s.json" --var close_wait_age=2s --json >"$AUDIT"
finding_present accept-queue-full
finding_present close-wait-leak
finding_present tw-reuse-without-timestamps
signature "$AUDIT" | cmp - "$work/live" || fail "the snapshot is judged otherwise than the host"
expect "listeners" "$(json '.listeners | length')" -eq 2
expect "CLOSE_WAIT" "$(json .states.counts.CLOSE_WAIT)" -eq 160
[[ $(json .host.source) == snapshot ]] || fail "its source"
[[ $(json .host.netns.name) == "$SERVER" ]] || fail "its namespace"

# --- and everywhere the same ---------------------------------------------------------------------------------------

# reports DIR COMMAND...: every profile as text and as JSON, through the command
reports() {
	local dir=$work/$1 profile
	mkdir -p "$dir"
	for profile in "${profiles[@]}"; do
		"${@:2}" audit --snapshot "$work/s.json" --profile "$profile" --verbose >"$dir/$profile.txt" ||
			fail "$1: $profile"
		"${@:2}" audit --snapshot "$work/s.json" --profile "$profile" --json >"$dir/$profile.json" ||
			fail "$1: $profile, JSON"
	done
	if [[ $1 != here ]]; then
		diff -r "$work/here" "$dir" || fail "$1: another report"
		LAB_FOUND+=("$1: the same")
	fi
}

reports here "$work/tcptune"
[[ $(grep -c . "$work/here/base.txt") -gt 30 ]] || fail "hardly a report"
reports in-its-namespace nsenter --net="/run/netns/$SERVER" -- "$work/tcptune"
set_sysctl "$CLIENT" net.ipv4.tcp_syncookies=2 net.ipv4.tcp_fin_timeout=7
reports in-another-namespace nsenter --net="/run/netns/$CLIENT" -- "$work/tcptune"
# shellcheck disable=SC2016
reports under-another-hostname unshare -u sh -c 'hostname tcpt-another; exec "$0" "$@"' "$work/tcptune"
reports as-a-plain-user setpriv --reuid 65534 --clear-groups "$work/tcptune"

# Profiles and variables of the host that judges are not its.
propagation=$(own_propagation) || fail "no mount namespace"
mkdir -p "$work/etc/profiles"
sed '0,/^summary: .*/s//summary: mine/; /^rules:/,$d' "$TCT_SOURCE_DIR/profiles/base.yaml" >"$work/etc/profiles/base.yaml"
printf 'variables:\n  tw_buckets: 1048576\n' >"$work/etc/variables.yaml"
# shellcheck disable=SC2016
reports beside-other-profiles unshare -m --propagation "$propagation" sh -c '
	mount -t tmpfs tmpfs /etc && mkdir /etc/tcptune && cp -r "$0/etc/." /etc/tcptune || exit 1
	exec "$0/tcptune" "$@"' "$work"

# The sanitizers need /proc.
if [[ -z ${TCT_SANITIZED:-} ]]; then
	ldd "$work/tcptune" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$work/empty${library%/*}"
		cp -L "$library" "$work/empty$library"
	done
	mkdir -p "$work/empty$work"
	cp "$work/s.json" "$work/empty$work/"
	cp "$work/tcptune" "$work/empty/tcptune"
	reports without-proc-and-etc chroot "$work/empty" /tcptune
fi

# --- what was done about it shows ----------------------------------------------------------------------------------

set_sysctl "$SERVER" net.ipv4.tcp_timestamps=1 net.ipv4.tcp_window_scaling=0
"$TCPTUNE" snapshot --netns "$SERVER" --interval 0 --quiet -o "$work/t.json" || fail "no second snapshot"
AUDIT=$LAB_DIR/diff.json
"$TCPTUNE" diff "$work/s.json" "$work/t.json" --json >"$AUDIT"
json '.fixed | any(.id == "tw-reuse-without-timestamps")' -e >/dev/null || fail "diff: not fixed"
json '.new | any(.id == "window-scaling-off" and .severity.a == null)' -e >/dev/null || fail "diff: not new"
json '.same | any(.id == "accept-queue-full")' -e >/dev/null || fail "diff: not the same"
json '[.sysctls[].key] | contains(["net.ipv4.tcp_timestamps", "net.ipv4.tcp_window_scaling"])' -e >/dev/null ||
	fail "diff: the values"
! "$TCPTUNE" diff "$work/s.json" "$work/t.json" --quiet --fail-on warning >/dev/null || fail "diff --fail-on"
"$TCPTUNE" diff "$work/s.json" "$work/s.json" --quiet --fail-on info >"$work/out" ||
	fail "diff of a snapshot with itself"
[[ ! -s $work/out ]] || fail "diff of a snapshot with itself: $(<"$work/out")"

lab_pass
