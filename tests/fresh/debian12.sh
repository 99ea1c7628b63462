#!/usr/bin/env bash
# ./quickstart audit and ./quickstart test on a Debian 12 that has nothing: debootstrap makes one,
# the checkout is cloned into it, and both commands run there in a chroot. Run by hand, as root:
#
#   tests/fresh/debian12.sh [--keep] [--worktree] [--only-audit] [CHECKOUT]
#
# CHECKOUT is cloned as it is committed; --worktree takes its files as they lie there. --keep leaves
# the tree behind and says where; TCT_FRESH_BASE=FILE.tar keeps the bare Debian for the next run;
# TCT_FRESH_MIRROR is the mirror (default http://deb.debian.org/debian).
# All mounts are made in a mount namespace of this script's own and are gone with it.
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
mirror=${TCT_FRESH_MIRROR:-http://deb.debian.org/debian}
keep=no
worktree=no
only_audit=no
checkout=$here
for argument in "$@"; do
	case $argument in
	--keep) keep=yes ;;
	--worktree) worktree=yes ;;
	--only-audit) only_audit=yes ;;
	-*)
		echo "usage: $0 [--keep] [--worktree] [--only-audit] [CHECKOUT]" >&2
		exit 2
		;;
	*) checkout=$(cd "$argument" && pwd) ;;
	esac
done

if [[ ${TCT_FRESH_INSIDE:-} != yes ]]; then
	((EUID == 0)) || {
		echo "fresh: must be root, for debootstrap and chroot" >&2
		exit 2
	}
	for tool in debootstrap unshare git tar; do
		command -v "$tool" >/dev/null || {
			echo "fresh: $tool is needed" >&2
			exit 2
		}
	done
	TCT_FRESH_INSIDE=yes exec unshare --mount --propagation private --pid --fork --kill-child "$0" "$@"
fi

heading() {
	printf '\n--- fresh: %s\n' "$*"
}

root=$(mktemp -d /tmp/tcptune-fresh.XXXXXX)
chmod 755 "$root"
finish() {
	local status=$?
	cd /
	# in this namespace only, and before anything is removed
	grep -F " $root/" /proc/self/mountinfo | awk '{ print $5 }' | sort -r | while read -r point; do
		umount -l "$point" || true
	done
	if grep -qF " $root/" /proc/self/mountinfo; then
		echo "fresh: still mounted below $root; left there" >&2
	elif [[ $keep == yes ]]; then
		echo "fresh: the tree is $root"
	else
		rm -rf --one-file-system "$root"
	fi
	exit "$status"
}
trap finish EXIT

mount -t proc proc /proc
if [[ -n ${TCT_FRESH_BASE:-} && -s $TCT_FRESH_BASE ]]; then
	heading "unpacking $TCT_FRESH_BASE"
	tar -C "$root" -xpf "$TCT_FRESH_BASE"
else
	heading "debootstrap bookworm from $mirror"
	debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 || {
		tail -n 20 "$root.log" >&2
		exit 1
	}
	rm -f "$root.log"
	if [[ -n ${TCT_FRESH_BASE:-} ]]; then
		tar -C "$root" -cpf "$TCT_FRESH_BASE" .
	fi
fi
[[ -e /etc/resolv.conf ]] && cp -L /etc/resolv.conf "$root/etc/resolv.conf"

heading "taking $checkout"
mkdir -p "$root/root/tcptune"
if [[ $worktree == yes ]]; then
	tar -C "$checkout" --exclude=./build --exclude=./.git -cf - . | tar -C "$root/root/tcptune" -xf -
else
	git clone -q --no-local "$checkout" "$root/root/tcptune"
fi
chown -R root:root "$root/root/tcptune"

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

inside() {
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
		"$@"
}
in_root() {
	inside chroot "$root" /bin/sh -c "cd /root/tcptune && $1"
}

heading "./quickstart audit"
in_root './quickstart audit --interval 0' >"$root/tmp/audit.txt"
cat "$root/tmp/audit.txt"
[[ -s $root/tmp/audit.txt ]] || {
	echo "fresh: the audit printed nothing" >&2
	exit 1
}

# A second run must need no network: it gets a namespace without one.
heading "./quickstart audit again, without a network"
inside unshare --net chroot "$root" /bin/sh -c \
	'cd /root/tcptune && ./quickstart audit --json --interval 0 2>/tmp/again' >"$root/tmp/audit.json"
cat "$root/tmp/again"
if grep -q 'installing\|configuring' "$root/tmp/again"; then
	echo "fresh: the second run was not idle" >&2
	exit 1
fi

if [[ $only_audit == no ]]; then
	heading "./quickstart test"
	in_root './quickstart test'
	heading "./quickstart test again, without a network, the unit tests"
	inside unshare --net chroot "$root" /bin/sh -c \
		'cd /root/tcptune && ./quickstart test -L unit 2>/tmp/again'
	cat "$root/tmp/again"
	if grep -q 'installing\|configuring' "$root/tmp/again"; then
		echo "fresh: the second run was not idle" >&2
		exit 1
	fi
fi
heading "passed"
