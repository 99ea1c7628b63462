#!/usr/bin/env bash
# shellcheck disable=SC2015,SC2016,SC2154 # A && B || fail; jq has variables of its own; set by what is sourced
# The guard of --confirm-within where systemd is process 1: a real systemd, in namespaces of its own. Of the host it sees
# read-only copies of programs and libraries, none of its units, and nothing that could be written but one folder.
# Skipped where there is no systemd, no cgroup2 or no namespaces.
set -u

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}
skip() {
	echo "SKIPPED: $*"
	exit 77
}
here=$(cd "$(dirname "$0")" && pwd)

# --- inside: a service of that systemd ------------------------------------------------------------------------------

if [[ ${1-} == service ]]; then
	TCPTUNE=/opt/tcptune
	JOURNAL=/var/lib/tcptune/journal
	DROP_IN=/etc/sysctl.d/99-tcptune.conf
	# shellcheck source-path=SCRIPTDIR source=confirm.sh
	. /opt/confirm.sh
	trap - EXIT
	run() { # EXPECTED_EXIT WORDS...
		local expected=$1 code=0
		shift
		"$TCPTUNE" "$@" >/out/out 2>/out/err || code=$?
		[[ $code == "$expected" ]] || fail "tcptune $*: exit $code, not $expected: $(cat /out/out /out/err)"
	}
	guard_is() { [[ $(jq -r .waiting.guard /out/out) == "$1" ]] || fail "the guard is $(jq -c .waiting /out/out)"; }
	timers() { systemctl list-units --all --plain --no-legend 'tcptune-confirm-*.timer' | wc -l; }
	no_timer() {
		local i
		for ((i = 0; i < 100; i++)); do
			[[ $(timers) != 0 ]] || return 0
			sleep 0.02
		done
		fail "$1: the timer lives on"
	}
	apply=(apply --profile highconn --persist --allow-shadowed --json --confirm-within)

	for i in 1 2 3; do
		# In a service of its own, whose end kills all that it has started.
		systemd-run --quiet --collect --service-type=oneshot --property=StandardOutput=truncate:/out/out \
			"$TCPTUNE" "${apply[@]}" 2 || fail "apply in a service"
		guard_is systemd
		[[ $(timers) == 1 && -z $(guards) ]] || fail "one timer, and no process"
		[[ $(</proc/sys/net/core/somaxconn) == 16384 ]] || fail "it is not in force"
		await_put_back
		echo "the service ended ($i): $late_ms ms after the deadline"
		((late_ms <= 1000)) || fail "put back $late_ms ms after the deadline"
		no_timer "put back"
		[[ $(last_error) == "not confirmed in time; put back" ]] || fail "$(last_error)"
	done
	systemctl --failed --plain --no-legend | grep . && fail "a unit failed"

	run 0 "${apply[@]}" 60
	guard_is systemd
	run 0 confirm
	no_timer "confirmed"
	[[ -s $DROP_IN ]] || fail "confirm writes no drop-in"
	run 0 rollback
	run 0 "${apply[@]}" 60
	run 0 rollback
	no_timer "rolled back"

	# In another network or mount namespace than process 1, systemd would do it in the wrong place.
	for other in -n -m; do
		unshare $other "$TCPTUNE" "${apply[@]}" 60 >/out/out || fail "apply in another namespace"
		guard_is process
		pid=$(pgrep -f 'tcptune confirm --expire') || fail "no process"
		[[ $(timers) == 0 ]] || fail "a timer as well"
		nsenter "$other" --target "$pid" "$TCPTUNE" rollback >/dev/null || fail "rollback in another namespace"
	done
	# A systemd-run that fails.
	mount --bind /usr/bin/false /usr/bin/systemd-run || fail "mount"
	run 0 "${apply[@]}" 60
	guard_is process
	run 0 rollback
	no_guard "rolled back"
	echo 'that is all'
	exit
fi

# --- between: what will be the root of it ---------------------------------------------------------------------------

read_only() { # FROM TO
	mount --bind "$1" "$2" || fail "mount $1"
	mount -o remount,bind,ro "$2" || fail "mount $1 read-only"
}
if [[ ${1-} == inside ]]; then
	root=$WORK/root
	mount -t tmpfs tmpfs "$root" || fail "mount the root"
	mkdir -p "$root"/{usr,etc/sysctl.d,proc,sys,dev,run,tmp,var/lib,root,opt,out,old,hold}
	read_only /usr "$root/usr"
	for link in bin sbin lib lib32 lib64 libx32; do
		if [[ -L /$link ]]; then
			cp -a "/$link" "$root/$link"
		elif [[ -d /$link ]]; then
			mkdir "$root/$link" && read_only "/$link" "$root/$link"
		fi
	done
	for folder in lib/systemd/system lib/systemd/system-generators lib/tmpfiles.d lib/sysctl.d lib/sysusers.d; do
		[[ ! -d /usr/$folder ]] || mount -t tmpfs tmpfs "$root/usr/$folder" || fail "mount over $folder"
	done
	cp -aL /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache "$root/etc/" 2>/dev/null
	[[ ! -d /etc/alternatives ]] || cp -a /etc/alternatives "$root/etc/"
	echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
	cp "$TCPTUNE" "$root/opt/tcptune" && cp "$0" "$root/opt/test.sh" && cp "$here/confirm.sh" "$root/opt/" || fail "cp"
	for device in null zero full random urandom tty; do
		: >"$root/dev/$device"
		mount --bind "/dev/$device" "$root/dev/$device" || fail "mount /dev/$device"
	done
	ln -s /proc/self/fd "$root/dev/fd"
	mount -t sysfs -o ro sysfs "$root/sys" || fail "mount sysfs"
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" || skip "no cgroup2 of its own"
	# Of the host's settings only those of our network namespace can be written.
	mount -t proc proc "$root/proc" && mount -t proc proc "$root/hold" || fail "mount proc"
	mount --bind "$root/proc/sys" "$root/proc/sys" && mount -o remount,bind,ro "$root/proc/sys" &&
		mount --bind "$root/hold/sys/net" "$root/proc/sys/net" && umount "$root/hold" || fail "mount /proc/sys"
	mount -t tmpfs tmpfs "$root/run" && mount -t tmpfs tmpfs "$root/tmp" || fail "mount /run"
	mkdir "$root/run/lock" "$WORK/out"
	mount --bind "$WORK/out" "$root/out" || fail "mount out"
	mkdir -p "$root/etc/tct-units"
	for unit in sysinit.target basic.target timers.target sockets.target paths.target slices.target shutdown.target; do
		printf '[Unit]\nDefaultDependencies=no\n' >"$root/etc/tct-units/$unit"
	done
	cat >"$root/etc/tct-units/tct.target" <<'UNIT'
[Unit]
DefaultDependencies=no
Requires=sysinit.target basic.target
Wants=tct.service
UNIT
	cat >"$root/etc/tct-units/tct.service" <<UNIT
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment=ASAN_OPTIONS=${ASAN_OPTIONS-}
ExecStart=/bin/bash -c '/bin/bash /opt/test.sh service >/out/log 2>&1; echo \$\$? >/out/code.new; mv /out/code.new /out/code'
UNIT
	cd "$root" && pivot_root . old && umount -l /old && cd / || fail "pivot_root"
	# Nothing of the host, or no systemd: its first doings at boot are not for others.
	[[ ! -e /old/usr && ! -e /home && ! -e /usr/lib/systemd/system/basic.target ]] || fail "this isn't the root that was made"
	export SYSTEMD_UNIT_PATH=/etc/tct-units container=tct
	unset NOTIFY_SOCKET
	exec setpriv --bounding-set -sys_boot,-sys_module,-sys_time,-sys_rawio,-syslog,-mknod \
		"$SYSTEMD" --system --unit=tct.target --show-status=0 --log-target=console --log-level=warning
fi

# --- outside --------------------------------------------------------------------------------------------------------

: "${TCPTUNE:?the program to test}"
TCPTUNE=$(realpath "$TCPTUNE")
((EUID == 0)) || skip "only root may run a systemd"
for tool in jq unshare setpriv pivot_root systemd-run systemctl pgrep; do
	command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin:/sbin
	command -v "$tool" >/dev/null || skip "$tool is needed"
done
for SYSTEMD in /usr/lib/systemd/systemd /lib/systemd/systemd ""; do
	[[ ! -x $SYSTEMD ]] || break
done
[[ -n $SYSTEMD ]] || skip "there is no systemd"
version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
((${version:-0} >= 240)) || skip "systemd is too old: ${version:-not known}"
for cgroups in /sys/fs/cgroup /sys/fs/cgroup/unified ""; do
	[[ ! -f $cgroups/cgroup.procs || ! -f $cgroups/cgroup.controllers ]] || break
done
[[ -n $cgroups ]] || skip "there is no cgroup2"
unshare -n -m -u -i -C -p -f --propagation private true 2>/dev/null || skip "may not make namespaces"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/tct-systemd.XXXXXX") || exit 1
export WORK TCPTUNE SYSTEMD PATH here
cgroup=$cgroups/tct-systemd.$$
runner=
clean() {
	local i
	[[ -z $runner ]] || kill -KILL "$runner" 2>/dev/null
	wait 2>/dev/null
	for ((i = 0; i < 100; i++)); do
		find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
		[[ -d $cgroup ]] || break
		sleep 0.05
	done
	rm -rf --one-file-system "$WORK"
}
mkdir "$cgroup" 2>/dev/null || {
	rm -rf "$WORK"
	skip "may not make a cgroup"
}
trap clean EXIT
mkdir "$WORK/root"
"$BASH" -c 'echo $$ >"$1/cgroup.procs" && exec unshare -n -m -u -i -C -p -f --kill-child --propagation private "$BASH" "$2" inside' \
	bash "$cgroup" "$0" >"$WORK/console" 2>&1 &
runner=$!
for ((i = 0; i < 600; i++)); do
	[[ ! -e $WORK/out/code ]] || break
	kill -0 "$runner" 2>/dev/null || break
	sleep 0.1
done
cat "$WORK/out/log" 2>/dev/null
if [[ ! -e $WORK/out/code ]]; then
	cat "$WORK/console"
	! grep -q '^SKIPPED' "$WORK/console" || exit 77
	fail "systemd didn't come to an end"
fi
[[ $(<"$WORK/out/code") == 0 ]] || fail "see above"
