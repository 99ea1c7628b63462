# shellcheck shell=bash
# What the scripts share that make namespaces of their own. Works in a chroot too, where "/" is no mount point: there
# `ip netns exec` and `unshare --propagation private` fail.

# in_netns NAME COMMAND...: run it in a named network namespace, in this very process.
in_netns() {
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

# ip_in NAME WORDS...: `ip -n NAME`, which needs "/" to be a mount point.
ip_in() {
	nsenter --net="/run/netns/$1" -- ip "${@:2}"
}

# shellcheck disable=SC2016 # the other shell expands it
# Prints the --propagation with which a new mount namespace keeps its mounts to itself; fails if there is none, or if
# namespaces are refused.
own_propagation() {
	if unshare -n -m --propagation private true 2>/dev/null; then
		echo private
	elif unshare -n -m --propagation unchanged "$BASH" -c '
		dir=$(mktemp -d) && mount -t tmpfs tmpfs "$dir" || exit 1
		grep " $dir " /proc/self/mountinfo | grep -q " shared:"
		shared=$?
		umount "$dir" && rmdir "$dir" && [ "$shared" != 0 ]' 2>/dev/null; then
		echo unchanged
	else
		return 1
	fi
}
