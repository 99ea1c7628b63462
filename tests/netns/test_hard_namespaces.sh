#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2031,SC2154 # jq has variables of its own; code is set by what is sourced
# Namespaces: whose interrupted transaction it is when not all processes are to be seen, a root that isn't the host's,
# keys and mounts that are read-only, and a /proc that isn't the kernel's.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=../hard.sh
. "$(dirname "$0")/../hard.sh"

run 0 apply "${FIRST[@]}"
state >"$WORK/new"
run 0 rollback

# --- an interrupted transaction of another namespace -------------------------------------------------------------------

# Who may know that it lives: by the kernel's own answer (file handles of namespaces, 6.18), or without that.
by_kernel=()
by_looking=(strace -f -o "$WORK/trace" -e inject=name_to_handle_at:error=EOPNOTSUPP)
[[ -z ${TCT_SANITIZED-} ]] || export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
other_pids=(unshare -p -f --mount-proc)
sees_all=false # the host's processes, with a right to look at all of them
[[ $(stat -Lc %i /proc/self/ns/pid) == 4026531836 ]] && readlink /proc/1/ns/net >/dev/null && sees_all=true
asks=false

# still_there WHAT [PREFIX...]: the transaction is another's to undo; nothing was changed.
still_there() {
	local what=$1 code=0
	shift
	"$@" "$TCPTUNE" apply "${SECOND[@]}" >"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == 3 ]] || fail "$what: exit $code"
	one_line 'transaction [0-9]+ of another network namespace was interrupted; undo it first: tcptune rollback' "$what"
	values >"$WORK/now.values"
	cmp -s "$WORK/old.values" "$WORK/now.values" || fail "$what: live values"
	[[ -e $DROP_IN ]] || fail "$what: the drop-in of the other's transaction"
}
interrupted_in() { # PID
	traced -P /proc/sys/net/ipv4/tcp_rmem -e inject=write:signal=KILL:when=1 -- apply "${FIRST[@]}" --netns "$1"
	[[ $code == 137 ]] || fail "SIGKILL in another namespace: exit $code"
}
holder=
hold() { # a process in a network namespace of its own
	unshare -n sleep 100 &
	holder=$!
	while [[ $(readlink "/proc/$holder/ns/net") == "$(readlink /proc/self/ns/net)" ]]; do sleep 0.01; done
}
end() { # PID
	kill "$1" && wait "$1" 2>/dev/null
	true
}

hold
interrupted_in "$holder"
strace -f -o "$WORK/trace" -e trace=open_by_handle_at "$TCPTUNE" apply "${SECOND[@]}" >/dev/null 2>&1
grep -q 'open_by_handle_at(.*) = [0-9]' "$WORK/trace" && asks=true
$asks || echo "note: this kernel doesn't tell whether a namespace lives"
still_there "a process in it" "${by_kernel[@]}"
still_there "a process in it, looked for" "${by_looking[@]}"
still_there "a process in it, from another PID namespace" "${other_pids[@]}"
still_there "a process in it, looked for from another PID namespace" "${other_pids[@]}" "${by_looking[@]}"

# No process is in it, but a file is open.
exec 7<"/proc/$holder/ns/net"
end "$holder"
still_there "an open file" "${by_kernel[@]}"
still_there "an open file, looked for" "${by_looking[@]}"
# Nor a file, but it is mounted where only another mount namespace sees it.
: >"$WORK/mounted"
unshare -m "$BASH" -c 'mount --bind /proc/self/fd/7 "$WORK/mounted" && exec 7<&- && : >"$WORK/is" && exec sleep 100' &
mounter=$!
for ((i = 0; i < 500; i++)); do
	[[ -e $WORK/is ]] && break
	sleep 0.01
done
[[ -e $WORK/is ]] || fail "a namespace mounted elsewhere"
exec 7<&-
still_there "a mount elsewhere" "${by_kernel[@]}"
still_there "a mount elsewhere, looked for" "${by_looking[@]}"
# What can't be looked at might be it.
still_there "links that may not be read" strace -f -o "$WORK/trace" -e inject=name_to_handle_at:error=EOPNOTSUPP \
	-e inject=readlink,readlinkat:error=EACCES:when=3+
# A thread of a process that is elsewhere itself.
if command -v python3 >/dev/null; then
	rm "$WORK/is"
	nsenter -t "$mounter" -m python3 -c '
import ctypes, os, pathlib, threading, time
def enter():
    fd = os.open(os.environ["WORK"] + "/mounted", os.O_RDONLY)
    if ctypes.CDLL(None).setns(fd, 0x40000000) == 0:
        os.close(fd)
        pathlib.Path(os.environ["WORK"], "is").touch()
    time.sleep(100)
threading.Thread(target=enter, daemon=True).start()
time.sleep(100)' &
	thread=$!
	for ((i = 0; i < 500; i++)); do
		[[ -e $WORK/is ]] && break
		sleep 0.01
	done
	[[ -e $WORK/is ]] || fail "a thread in the namespace"
	end "$mounter"
	still_there "a thread" "${by_kernel[@]}"
	still_there "a thread, looked for" "${by_looking[@]}"
	end $thread
else
	end "$mounter"
fi

# Gone: the files are put right. Where processes may hide and the kernel doesn't tell, that isn't known.
still_there "gone, but who knows" "${other_pids[@]}" "${by_looking[@]}"
# The kernel takes a namespace down in its own time, and another test that looks at all of them may hold it for a moment.
recovered() { # WHAT PREFIX...
	local what=$1 code i
	shift
	for ((i = 0; i < 100; i++)); do
		code=0
		"$@" "$TCPTUNE" rollback --json >"$WORK/out" 2>"$WORK/err" || code=$?
		[[ $code == 3 ]] || break
		sleep 0.1
	done
	[[ $code == 0 ]] || fail "$what: exit $code"
	json '.recovered != null'
	ck_state "$WORK/old" "$what"
	nothing_open "$what"
}
if $sees_all; then
	recovered "gone, looked for" "${by_looking[@]}"
	hold
	interrupted_in "$holder"
	end "$holder"
fi
if $asks; then
	recovered "gone, from another PID namespace" "${other_pids[@]}"
	hold
	interrupted_in "$holder"
	end "$holder"
fi
if $asks || $sees_all; then
	recovered "gone" env
	hold
	interrupted_in "$holder"
	end "$holder"
fi
# Whoever knows better says so.
id=$("$TCPTUNE" history --json | jq '.transactions[0].id')
code=0
"${by_looking[@]}" "$TCPTUNE" rollback --force >"$WORK/out" 2>"$WORK/err" || code=$?
$sees_all || [[ $code == 3 ]] || fail "force without an id: exit $code"
$sees_all || one_line "if that is gone: tcptune rollback $id --force$" "how to force it"
$sees_all || recovered "gone, by force" "${by_looking[@]}" "$BASH" -c 'exec "$@" '"$id"' --force' bash

# --- a root that isn't the host's ----------------------------------------------------------------------------------------

# What nobody is as root of a user namespace of his own: the keys of his network namespace are his, nothing else is.
chmod 755 "$WORK"
mkdir -m 755 "$WORK/bin"
cp "$TCPTUNE" "$WORK/bin/tcptune"
cat >"$WORK/mixed.yaml" <<'YAML'
schema: tcptune.profile.v1
name: mixed
summary: One key of the namespace, one of the host
settings:
  net.core.somaxconn: { at_least: 16384, because: mine }
  fs.file-max: { set: 123456, because: not mine }
YAML
cat >"$WORK/nobody" <<'SCRIPT'
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib || exit 90
tcptune=$WORK/bin/tcptune
"$tcptune" apply --profile "$WORK/first.yaml" --json >/run/out 2>/run/err || { cat /run/err && exit 91; }
jq -e '.changed and .drop_in == null' /run/out >/dev/null || exit 92
[ "$(cat /proc/sys/net/core/somaxconn)" = 16384 ] || exit 93
"$tcptune" check >/run/out 2>/run/err || { cat /run/err && exit 94; }
"$tcptune" rollback >/run/out 2>/run/err || { cat /run/err && exit 95; }
[ "$(cat /proc/sys/net/core/somaxconn)" = 4096 ] || exit 96
"$tcptune" apply --profile "$WORK/mixed.yaml" --json >/run/out 2>/run/err
[ $? = 3 ] || exit 97
grep -qx 'tcptune: refused, nothing was changed: fs.file-max: it can.t be written here: Permission denied' /run/err ||
	{ cat /run/err && exit 98; }
jq -e '[.refused[] | [.key, .kind]] == [["fs.file-max", "system"]] and (.changed | not)' /run/out >/dev/null || exit 99
[ "$(cat /proc/sys/net/core/somaxconn)" = 4096 ] || exit 100
"$tcptune" apply --profile "$WORK/mixed.yaml" --dry-run >/run/out 2>/run/err
[ $? = 3 ] || exit 101
"$tcptune" history --json | jq -e '.transactions | length == 2' >/dev/null || exit 102
# The drop-in's folder is the real root's.
"$tcptune" apply --profile "$WORK/first.yaml" --persist >/run/out 2>/run/err
[ $? = 3 ] || exit 103
grep -q "can't write /etc/sysctl.d/99-tcptune.conf: Permission denied" /run/err || { cat /run/err && exit 104; }
[ "$(cat /proc/sys/net/core/somaxconn)" = 4096 ] || exit 105
SCRIPT
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups unshare -U -r)
grep -q '"fs.file-max"' "$TCT_SOURCE_DIR/core/kernel_key_table.c" || sed -i 's/fs.file-max/net.core.netdev_max_backlog/' "$WORK"/{mixed.yaml,nobody}
if "${nobody[@]}" -n -m true 2>"$WORK/err"; then
	"${nobody[@]}" -n -m "$BASH" "$WORK/nobody" >"$WORK/out" 2>&1 || fail "root of a user namespace: step $?"
	# Root of a user namespace, but of nobody's network: it is all the host's, and not even the lock can be had.
	code=0
	"${nobody[@]}" "$WORK/bin/tcptune" apply --profile "$WORK/first.yaml" >"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == 3 ]] || fail "root of nothing: exit $code"
	one_line "can't lock /run/tcptune.lock: Permission denied .are you root" "root of nothing"
	code=0
	"${nobody[@]}" -m "$BASH" -c 'mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && exec "$WORK/bin/tcptune" apply --profile "$WORK/first.yaml"' \
		>"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == 3 ]] || fail "root of nothing, with a lock: exit $code"
	one_line "^tcptune: refused, nothing was changed: net\..*: it can't be written here: Permission denied .and more.$" \
		"root of nothing, with a lock"
else
	echo "note: no user namespaces here: $(cat "$WORK/err")"
fi
untouched "other roots"
# Somebody else took the right away after it was looked at: the write's own answer counts.
for error in EPERM EACCES; do
	traced -P /proc/sys/net/ipv4/tcp_keepalive_time -e inject=write:error=$error:when=1 -- apply "${FIRST[@]}"
	[[ $code == 3 ]] || fail "$error at a write: exit $code"
	one_line 'net.ipv4.tcp_keepalive_time: the kernel refuses 600: ' "$error at a write"
	ck_state "$WORK/old" "$error at a write"
done

# --- read-only -------------------------------------------------------------------------------------------------------------

cat >"$WORK/host.yaml" <<'YAML'
schema: tcptune.profile.v1
name: host
summary: A key that other namespaces only see
settings:
  net.core.somaxconn: { at_least: 16384, because: mine }
  net.core.rmem_max: { set: 7654321, because: of the host }
YAML
if [[ -e /proc/sys/net/core/rmem_max ]]; then
	[[ $(stat -c %a /proc/sys/net/core/rmem_max) == 444 ]] || fail "rmem_max can be written in a namespace"
	run 0 apply --profile "$WORK/host.yaml" --json
	json '[.unsupported[] | [.key, .reason]] == [["net.core.rmem_max", "it is read-only here"]]'
	json '[.settings[].key] == ["net.core.somaxconn"]'
	run 0 check --profile "$WORK/host.yaml"
	run 0 rollback
else
	echo "note: this kernel doesn't show rmem_max here"
fi
for place in /proc/sys /proc/sys/net; do # as container engines do it
	read_only $place
	run 0 apply "${FIRST[@]}" --json
	json '(.changed | not) and (.unsupported | length) == 7'
	run 0 check --profile "$WORK/first.yaml"
	umount $place
	untouched "a read-only $place"
	[[ ! -e $DROP_IN ]] || fail "a drop-in for keys that can't be written"
	run 0 apply "${FIRST[@]}"
	read_only $place
	run 0 apply "${FIRST[@]}" # so already
	refused 3 'net\..*Read-only file system' "a read-only $place, on the way back" rollback
	umount $place
	ck_state "$WORK/new" "a read-only $place, on the way back"
	nothing_open "a read-only $place, on the way back"
	# What can't be written stays ours, whatever a whole apply says of the rest, and goes back when it can.
	read_only $place
	run 0 apply "${SECOND[@]}" --json
	json '.changed and ([.settings[] | .before == .after and (.live_written | not)] | all)'
	json '[.unsupported[] | select(.reason | startswith("no longer asked for, but read-only"))] | length == 5'
	umount $place
	values | cmp -s - <(sed '/^--/,$d' "$WORK/new") || fail "a read-only $place, and live values changed"
	run 1 check
	run 0 apply "${SECOND[@]}"
	run 0 check
	[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 60 ]] || fail "a key that was read-only doesn't go back"
	reset "a read-only $place"
done
# One key alone.
mount --bind /proc/sys/net/ipv4/tcp_keepalive_time /proc/sys/net/ipv4/tcp_keepalive_time
mount -o remount,bind,ro /proc/sys/net/ipv4/tcp_keepalive_time
run 0 apply "${FIRST[@]}" --json
json '[.unsupported[].key] == ["net.ipv4.tcp_keepalive_time"] and (.settings | length) == 6'
run 0 rollback
umount /proc/sys/net/ipv4/tcp_keepalive_time
untouched "a key that is read-only"

# --- not the kernel's ------------------------------------------------------------------------------------------------------

not_kernels=': .*it isn.t the kernel.s: something else is mounted over it$'
for place in /proc/sys /proc/sys/net; do
	mount -t tmpfs tmpfs $place
	refused 3 "^tcptune: /proc/sys: " "an empty $place" apply "${FIRST[@]}"
	umount $place
done
cp -r /proc/sys/net "$WORK/net" 2>/dev/null
mount --bind "$WORK/net" /proc/sys/net
refused 3 "/proc/sys: it isn.t the kernel.s: something else is mounted over it$" "a copy of /proc/sys/net" apply "${FIRST[@]}"
refused 3 "/proc/sys: it isn.t the kernel.s: something else is mounted over it$" "a copy of /proc/sys/net, a dry run" apply "${FIRST[@]}" --dry-run
umount /proc/sys/net
echo 4096 >"$WORK/somaxconn"
mount --bind "$WORK/somaxconn" /proc/sys/net/core/somaxconn
refused 3 "net.core.somaxconn$not_kernels" "a file over a key" apply "${FIRST[@]}"
[[ $(<"$WORK/somaxconn") == 4096 ]] || fail "a file over a key was written"
umount /proc/sys/net/core/somaxconn
run 0 apply "${FIRST[@]}"
mount --bind "$WORK/somaxconn" /proc/sys/net/core/somaxconn
refused 3 "net.core.somaxconn$not_kernels" "a file over a key, on the way back" rollback
umount /proc/sys/net/core/somaxconn
ck_state "$WORK/new" "a file over a key, on the way back"
run 0 rollback
mkfifo "$WORK/pipe"
mount --bind "$WORK/pipe" /proc/sys/net/core/somaxconn
refused 3 "net.core.somaxconn" "a pipe over a key" apply "${FIRST[@]}"
umount /proc/sys/net/core/somaxconn
# No /proc at all. The sanitizers need theirs: they find their options there.
if [[ -z ${TCT_SANITIZED-} ]]; then
	code=0
	unshare -m "$BASH" -c 'mount -t tmpfs tmpfs /proc && exec "$TCPTUNE" apply --profile "$WORK/first.yaml" --persist' \
		>"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == 3 ]] || fail "no /proc: exit $code"
	one_line "^tcptune: " "no /proc"
	code=0
	unshare -m "$BASH" -c 'mount -t tmpfs tmpfs /proc && exec "$TCPTUNE" rollback' >"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == 0 ]] || fail "nothing to roll back, without /proc: exit $code"
	ck_state "$WORK/old" "no /proc"
	nothing_open "no /proc"
fi
