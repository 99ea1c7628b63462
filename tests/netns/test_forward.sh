#!/usr/bin/env bash
# What a change of net.ipv4.ip_forward resets on this kernel: the rule forward-resets says that, and no more. In a
# network namespace of its own.
set -u

if [[ ${1-} != inside ]]; then
	if ! unshare -n true 2>/dev/null; then
		echo "skipped: no network namespace can be made"
		exit 77
	fi
	exec unshare -n "$BASH" "$0" inside
fi

failed=0
cd /proc/sys/net/ipv4 || exit 1

keys() {
	grep -rH . ip_forward conf 2>/dev/null | LC_ALL=C sort
}

# changed WHAT WANTED FILE VALUE: write it, and compare which keys have other values then, and which
changed() {
	local before after got
	before=$(keys)
	echo "$4" >"$3"
	after=$(keys)
	got=$(LC_ALL=C comm -13 <(echo "$before") <(echo "$after") | tr '\n' ' ')
	if [[ $got != "$2" ]]; then
		printf '%s\nwanted: %s\ngot:    %s\n' "$1" "$2" "$got"
		failed=1
	fi
}

all() {
	printf 'conf/all/accept_redirects:%s conf/all/forwarding:%s conf/default/forwarding:%s conf/lo/forwarding:%s ip_forward:%s ' \
		"$1" "$2" "$2" "$2" "$2"
}

# Everything that is on or off the other way round, so that a reset would be seen.
for key in conf/*/*; do
	value=$(cat "$key" 2>/dev/null) || continue
	case $key:$value in
	*forwarding:*) ;;
	*:0) echo 1 2>/dev/null >"$key" ;;
	*:1) echo 0 2>/dev/null >"$key" ;;
	esac
done
echo 0 >ip_forward
echo 1 >conf/all/accept_redirects
changed "forwarding comes on" "$(all 0 1)" ip_forward 1
changed "it is on already" "" ip_forward 1
changed "forwarding goes off" "$(all 1 0)" ip_forward 0
changed "it is off already" "" ip_forward 0
changed "the same switch by its other name" "$(all 0 1)" conf/all/forwarding 1

((failed == 0)) && echo "ip_forward resets forwarding of all, default and every interface, and all.accept_redirects"
exit "$failed"
