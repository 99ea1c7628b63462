#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2031,SC2154 # jq has variables of its own
# Keys whose kernel module isn't loaded: this kernel's connection tracking is hidden behind an empty folder, and the
# modules are a list made here. Lines for the next boot, the list of modules to load, killed at every step, and back.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"

WAIT=net.netfilter.nf_conntrack_tcp_timeout_close_wait
ESTABLISHED=net.netfilter.nf_conntrack_tcp_timeout_established
SETS=(--set "$WAIT=30" --set "$ESTABLISHED=86400" --persist)
LIST=/etc/modules-load.d/tcptune.conf
[[ -d /proc/sys/net/netfilter ]] || skip "this kernel has no connection tracking to hide"
mount -t tmpfs tmpfs /proc/sys/net/netfilter || skip "may not hide a part of /proc/sys"
release=$(uname -r)
mkdir -p "$WORK/modules/$release"
if [[ ! -d /lib/modules ]]; then # a machine whose kernel has no modules
	mkdir /lib/modules 2>/dev/null || skip "may not make /lib/modules"
	trap 'umount /lib/modules 2>/dev/null; rmdir /lib/modules 2>/dev/null' EXIT
fi
mount --bind "$WORK/modules" /lib/modules || skip "may not mount over /lib/modules"
modules() { printf '%s\n' "$@" >"/lib/modules/$release/modules.dep"; }

line() { grep -qx "$1 = $2" $DROP_IN || fail "the drop-in has no line $1 = $2"; }
files() { # every name and every line of ours, but comments
	(cd /etc && for file in sysctl.d modules-load.d; do
		[[ -d $file ]] && find "$file" -type f | sort | while read -r name; do
			echo "$name" && grep -v '^#' "$name" | grep -v '^$'
		done
	done)
}
ck_files() { # FILE WHAT
	files >"$WORK/now"
	diff -u "$1" "$WORK/now" >&2 || fail "$2"
}

# --- no such module: left out, and it is said why --------------------------------------------------------------------

files >"$WORK/old"
modules "kernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko"
run 0 apply "${SETS[@]}" --json
json '(.changed | not) and (.unsupported | length) == 2'
json ".unsupported[0].reason == \"its module nf_conntrack isn't loaded, and /lib/modules/$release doesn't have it\""
run 0 apply "${SETS[@]}" --modules-load --json
json '.changed | not'
rm "/lib/modules/$release/modules.dep"
run 0 apply "${SETS[@]}" --json
json '.unsupported[0].reason | endswith("can'"'"'t be read")'
ck_files "$WORK/old" "nothing is written for a module that isn't there"

# --- on disk: a line for the next boot, with what it depends on ------------------------------------------------------

modules "kernel/net/netfilter/nf-conntrack.ko.zst: kernel/lib/libcrc32c.ko.zst"
run 0 apply --set $WAIT=30 --json # not the initial namespace: no drop-in, so nothing
json '.unsupported[0].reason | contains("no line for the next boot")'
run 0 apply "${SETS[@]}" --json
json '.changed and (.unsupported | length) == 0 and .modules_load == null and (.settings | length) == 2'
json '.settings[0] | .persisted and (.live_written | not) and .after == 30'
json '.settings[0].note | contains("isn'"'"'t loaded: nothing to change now") and contains("before sysctl is applied")'
line $WAIT 30 && line $ESTABLISHED 86400
[[ ! -e $LIST ]] || fail "a list of modules that nobody asked for"
run 0 check
run 0 apply "${SETS[@]}" --json
json '.changed | not'
files >"$WORK/lines"

# --- with the list ---------------------------------------------------------------------------------------------------

run 1 apply "${SETS[@]}" --modules-load --dry-run --json
json '.modules_load.before == null and .modules_load.after == ["nf_conntrack"]'
ck_files "$WORK/lines" "a dry run writes nothing"
run 0 apply "${SETS[@]}" --modules-load --json
json '.changed and .modules_load.path == "/etc/modules-load.d/tcptune.conf"'
grep -qx nf_conntrack $LIST || fail "the list has no nf_conntrack"
[[ $(stat -c %a $LIST) == 644 ]] || fail "the list's mode"
files >"$WORK/listed"
run 0 check
run 0 apply "${SETS[@]}" --json # not given again: it stays as long as keys need it
json '.changed | not'
run 0 history --json
json '.transactions[0].modules == "nf_conntrack"'
# Undone alone, only the list goes.
run 0 rollback --json
json '.changed and .modules_load.after == null'
ck_files "$WORK/lines" "rollback of the list"
run 0 rollback
ck_files "$WORK/old" "rollback of the lines"

run 0 apply "${SETS[@]}" --modules-load --json
json '.settings[0].note | contains("/etc/modules-load.d/tcptune.conf loads it at boot")'
chmod 640 $LIST
run 0 apply --set net.core.somaxconn=9000 --persist # another key leaves it alone
grep -qx nf_conntrack $LIST || fail "the list is gone"
run 0 rollback
# Keys that need it are no longer asked for: lines and list go in one transaction.
run 0 apply "${SECOND[@]}" --json
json '.modules_load.before == ["nf_conntrack"] and .modules_load.after == null'
[[ ! -e $LIST ]] || fail "the list stays without a key"
run 0 rollback
ck_files "$WORK/listed" "rollback brings lines and list back"

# --- taken away, edited, not ours --------------------------------------------------------------------------------------

rm $LIST
run 1 apply "${SETS[@]}" --dry-run --json
json '.modules_load.after == ["nf_conntrack"]'
run 0 apply "${SETS[@]}"
ck_files "$WORK/listed" "a list that was removed is written again"
echo other >>$LIST
run 3 apply "${SETS[@]}" --json
json '.refused[0].kind == "modules-load"'
run 0 rollback
[[ -s $LIST ]] || fail "an edited list isn't removed"
run 1 rollback --json
json '.conflicts[0].key == null and (.conflicts[0].reason | contains("modules-load.d"))'
grep -qx other $LIST || fail "an edited list isn't touched"
run 0 rollback --force "$(jq .undid "$WORK/out")"
ck_files "$WORK/old" "with --force"
mkdir -p /etc/modules-load.d
ln -s /etc/passwd $LIST
run 3 apply "${SETS[@]}" --modules-load --json
json '.refused[0].reason | contains("symbolic link")'
run 0 apply "${SETS[@]}" # without the list it is none of our business
run 0 rollback
rm $LIST
echo mine >$LIST
run 3 apply "${SETS[@]}" --modules-load
run 0 apply "${SETS[@]}"
run 0 rollback
[[ $(<$LIST) == mine ]] || fail "somebody else's list"
rm $LIST

# Somebody else's file loads it already.
echo '  nf-conntrack  ' >/etc/modules-load.d/net.conf
run 1 apply "${SETS[@]}" --dry-run --json
json '.settings[0].note | contains("/etc/modules-load.d/net.conf loads it at boot")'
rm /etc/modules-load.d/net.conf

# Put off until it is confirmed, like the lines.
run 0 apply "${SETS[@]}" --set net.core.somaxconn=9000 --modules-load --confirm-within 60
ck_files "$WORK/old" "nothing for the next boot before it is confirmed"
run 0 confirm --json
json '.changed and .modules_load.after == ["nf_conntrack"]'
grep -qx nf_conntrack $LIST || fail "confirm writes the list"
line net.core.somaxconn 9000
run 0 check
run 0 rollback
ck_files "$WORK/old" "what was confirmed is undone"

# --- killed at every call that changes a name, or makes it last ---------------------------------------------------------

rmdir /etc/modules-load.d
points=0 old=0 new=0
for call in renameat unlinkat linkat fsync ftruncate write mkdirat fchmod; do
	for when in 1 2 3 4 5 6 7 8 9; do
		traced -e "trace=$call" -e "inject=$call:signal=KILL:when=$when" -- apply "${SETS[@]}" --modules-load \
			--quiet
		[[ $code == 137 ]] || break
		points=$((points + 1))
		run 0 rollback --json # what was interrupted is undone, or it was done and is undone now
		if jq -e '.recovered != null' "$WORK/out" >/dev/null; then old=$((old + 1)); else new=$((new + 1)); fi
		ck_files "$WORK/old" "killed at $call $when"
		[[ -z $(find /etc -name '.*tcptune*') ]] || fail "temporary files are left: $call $when"
	done
	run 0 rollback
	ck_files "$WORK/old" "after $call"
done
[[ $points -ge 12 ]] || fail "only $points points"

# What the system doesn't let us read, nobody has changed: the transaction stays open until it can be read.
traced -P $JOURNAL -e inject=write:signal=KILL:when=2 -- apply "${SETS[@]}" --modules-load
[[ $code == 137 && -e $LIST ]] || fail "killed before the commit record: exit $code"
traced -P $LIST -e inject=read:error=EIO:when=1+ -- rollback
[[ $code == 4 ]] || fail "a list that can't be read: exit $code"
grep -q "can't be undone: $LIST: " "$WORK/err" || fail "the reason"
run 0 rollback --json
json '.recovered != null and .conflicts == []'
ck_files "$WORK/old" "a list that could not be read"
echo "killed at $points points: $old undone by recovery, $new done before"

# --- it can't be taken away again ------------------------------------------------------------------------------------

rm -f $JOURNAL $DROP_IN $LIST
files >"$WORK/old"
traced -e trace=renameat,unlinkat -e inject=renameat:error=EIO:when=2+ -e inject=unlinkat:error=EIO -- apply "${SETS[@]}" --modules-load
[[ $code == 4 ]] || fail "a list that is stuck: exit $code"
grep -q "could not be put back: $LIST" "$WORK/err" || fail "the list that is stuck is named"
run 0 history --json
json '.transactions[0] | .state == "stuck" and .modules_stuck and (.drop_in_stuck | not)'
stuck=$(jq '.transactions[0].id' "$WORK/out")
run 0 history show "$stuck"
grep -q "stuck  *$LIST\$" "$WORK/out" || fail "history show names it"
# It is ours still: what comes next takes it along, or away.
run 0 apply "${SETS[@]}" --json
json '.changed and .modules_load == null'
grep -qx nf_conntrack $LIST || fail "the list that the lines need by now"
run 0 rollback
run 0 rollback "$stuck" --json
json '.modules_load.before == ["nf_conntrack"] and .modules_load.after == null'
find /etc/sysctl.d /etc/modules-load.d -name '.*' -type f -delete
ck_files "$WORK/old" "the list that was stuck is taken away"

echo "ok"
