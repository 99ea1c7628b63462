#!/usr/bin/env bash
# Does our reader foretell what boot leaves in each key? Real sysctl files and random trees are given to
# the real systemd-sysctl and to the real `sysctl --system`, each in a fresh network namespace, and every
# key of the table is compared with what was foretold.
#
# BOOT_VALUES: the driver. TCT_CORPUS: a directory of *.conf (default: tests/corpus). TCT_TREES: how many
# random trees. In the mount namespace made here all of /proc/sys but /proc/sys/net is read-only, so that
# no file can touch the host.
set -u

here=$(cd "$(dirname "$0")" && pwd)
driver=${BOOT_VALUES:?the path of boot_values}
corpus=${TCT_CORPUS:-$here/../corpus}
trees=${TCT_TREES:-120}
export SYSCTL SYSTEMD_SYSCTL

skip() {
	echo "skipped: $*"
	exit 77
}

die() {
	echo "$*" >&2
	exit 1
}

first_of() {
	local path
	for path; do
		[[ -x $path ]] && echo "$path" && return
	done
}

if [[ ${1-} != inside ]]; then
	SYSTEMD_SYSCTL=$(first_of /usr/lib/systemd/systemd-sysctl /lib/systemd/systemd-sysctl)
	SYSCTL=$(first_of /usr/sbin/sysctl /sbin/sysctl /usr/bin/sysctl /bin/sysctl)
	[[ -n $SYSTEMD_SYSCTL ]] || skip "systemd-sysctl is not installed"
	[[ -n $SYSCTL ]] || skip "sysctl is not installed"
	[[ $("$SYSCTL" --version 2>/dev/null) == *procps* ]] || skip "sysctl is not procps'"
	# shellcheck source-path=SCRIPTDIR source=../namespaces.sh
	. "$(dirname "$0")/../namespaces.sh"
	propagation=$(own_propagation) || skip "may not make namespaces"
	scratch=$(mktemp -d) || exit 1
	trap 'rm -rf "$scratch"' EXIT
	unshare -n -m --propagation "$propagation" "$BASH" "$0" inside "$scratch"
	exit
fi

tree=$2/tree
mkdir -p "$tree"/{etc,run,usr/lib/sysctl.d,usr/local/lib/sysctl.d} || exit 1
ln -s usr/lib "$tree/lib"

protect() {
	if ! mount --bind /proc/sys /proc/sys || ! mount --bind /proc/sys/net /proc/sys/net ||
		! mount -o remount,bind,ro /proc/sys; then
		die "can't make /proc/sys read-only"
	fi
	local key value error
	for key in kernel/pid_max vm/swappiness fs/file-max kernel/hostname; do
		value=$(<"/proc/sys/$key")
		error=$({ echo "$value" >"/proc/sys/$key"; } 2>&1) && die "$key is still writable"
		[[ $error == *"Read-only file system"* ]] || die "$key: $error"
	done
	echo 1 >/proc/sys/net/ipv4/tcp_syncookies || die "/proc/sys/net isn't writable"
}

# What the programs see is the tree. Directories in it are emptied and filled, never replaced.
mount_tree() {
	local dir
	[[ -d /usr/lib/sysctl.d ]] || skip "no /usr/lib/sysctl.d to mount over"
	mount --bind "$tree/usr/lib/sysctl.d" /usr/lib/sysctl.d || die "mount"
	if [[ -d /lib/sysctl.d && ! /lib/sysctl.d -ef /usr/lib/sysctl.d ]]; then
		mount --bind "$tree/usr/lib/sysctl.d" /lib/sysctl.d || die "mount"
	fi
	for dir in /usr/local/lib/sysctl.d /usr/local/lib; do
		if [[ -d $dir ]]; then
			mount --bind "$tree$dir" "$dir" || die "mount"
			break
		fi
	done
	mount --bind "$tree/run" /run || die "mount"
	# From here on no program that /etc/alternatives names is there.
	mount --bind "$tree/etc" /etc || die "mount"
}

empty_tree() {
	find "$tree/etc" "$tree/run" "$tree/usr/lib/sysctl.d" "$tree/usr/local/lib/sysctl.d" \
		-mindepth 1 -delete || die "can't empty the tree"
}

# Second fence: only settings of net.core, net.ipv4 and net.ipv6 stay, and no congestion control that
# the kernel would have to load a module for. Bytes, comments and broken lines stay as they are.
fence() {
	local names=() allowed blank=$'[ \t]*'
	read -ra names </proc/sys/net/ipv4/tcp_allowed_congestion_control
	allowed=$(IFS='|' && echo "${names[*]}")
	LC_ALL=C sed -E \
		-e "/^$blank-?$blank\/?(kernel|vm|fs|dev|user|debug|abi|sunrpc|crypto)[.\/]/d" \
		-e "/^$blank-?$blank\/?net[.\/]/{/net[.\/]+(core|ipv4|ipv6)[.\/]/!d}" \
		-e "/^${blank}[#;]/b" \
		-e "/congestion_control/{/=$blank($allowed)[ \t\r]*\$/!d}"
}

failures=0
changed=0
count=0

try() {
	local output n code=0
	count=$((count + 1))
	output=$("$driver" try "$tree" 2>&1) || code=$?
	while read -r n; do changed=$((changed + n)); done \
		< <(sed -n 's/.* \([0-9]*\) keys changed.*/\1/p' <<<"$output")
	((code == 0)) && return
	failures=$((failures + 1))
	echo "not as foretold: $1 (exit $code)"
	echo "$output"
	if [[ -n ${TCT_KEEP-} ]]; then
		cp -a "$tree" "$TCT_KEEP/failed-$failures"
	fi
}

# Debian 12's layout: sysctl.conf is also read through a link; a vendor's and a later file are there too.
try_corpus() {
	local file
	for file in "$corpus"/*.conf; do
		[[ -f $file ]] || die "no *.conf in $corpus"
		empty_tree
		mkdir "$tree/etc/sysctl.d"
		fence <"$file" >"$tree/etc/sysctl.conf" || die "$file: the fence failed"
		ln -s ../sysctl.conf "$tree/etc/sysctl.d/99-sysctl.conf"
		cp "$tree/etc/sysctl.conf" "$tree/usr/lib/sysctl.d/10-vendor.conf"
		printf 'net.ipv4.tcp_fin_timeout = 33\nnet.ipv4.tcp_keepalive_* = 44\nnet.ipv4.tcp_rmem = 5000\n' \
			>"$tree/usr/local/lib/sysctl.d/zz-later.conf"
		try "${file##*/}"
	done
}

try_random() {
	local seed
	for ((seed = 1; seed <= trees; seed++)); do
		empty_tree
		"$driver" make "$seed" "$tree" || die "seed $seed: no tree"
		if ((seed % 5 == 0)); then
			mkdir -p "$tree/run/credentials/@system"
			echo "net.ipv4.tcp_fin_timeout = $seed" >"$tree/run/credentials/@system/sysctl.extra"
		fi
		try "seed $seed"
	done
}

# systemd reads lines of up to 1 MiB - 1; a longer one ends the file for it.
try_long_lines() {
	local million
	printf -v million '%1048574s' ''
	empty_tree
	mkdir "$tree/etc/sysctl.d"
	{
		echo 'net.ipv4.tcp_fin_timeout = 31'
		echo "#$million"
		echo 'net.ipv4.tcp_fin_timeout = 32'
		echo "# $million"
		echo 'net.ipv4.tcp_fin_timeout = 33'
	} >"$tree/etc/sysctl.d/long.conf"
	try "long lines"
}

# systemd's order of patterns: an equal one keeps its early place, a changed one goes to the end.
try_pattern_order() {
	local last
	for last in 5 6; do
		empty_tree
		mkdir "$tree/etc/sysctl.d"
		printf '%s\n' 'net.ipv4.tcp_keepalive_t* = 5' 'net.ipv4.tcp_keep*_time = 7' \
			>"$tree/etc/sysctl.d/a.conf"
		echo "net.ipv4.tcp_keepalive_t* = $last" >"$tree/etc/sysctl.d/b.conf"
		try "pattern order, $last"
	done
}

protect
mount_tree
try_long_lines
try_pattern_order
try_corpus
try_random
echo "$count trees, $changed keys changed by the programs, $failures trees not as foretold"
# That nothing is changed would mean that nothing was tried.
((changed > count * 4)) || die "too few keys were changed to prove anything"
((failures == 0))
