#!/usr/bin/env bash
# shellcheck disable=SC2016 # jq and the inner shell have variables of their own
# What apply promises for the next boot is what comes up. Random trees of sysctl files and random profiles: apply,
# remember what it promised, then boot for real: the real systemd-sysctl in a fresh network namespace, and the real
# `sysctl --system` in another. Where apply refused because another file overrides ours, the real boot must give
# another value, and the one that was foretold. And at every state on the way `check` and `apply --dry-run` must agree.
#
# BOOT_VALUES: the maker of trees. TCT_TREES: how many are to be applied. TCT_SEED: the first.

# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"

driver=${BOOT_VALUES:?the path of boot_values}
wanted_trees=${TCT_TREES:-40}
seed=${TCT_SEED:-1}

first_of() {
	local path
	for path; do
		[[ -x $path ]] && echo "$path" && return
	done
}

SYSTEMD_SYSCTL=$(first_of /usr/lib/systemd/systemd-sysctl /lib/systemd/systemd-sysctl)
SYSCTL=$(first_of /usr/sbin/sysctl /sbin/sysctl /usr/bin/sysctl /bin/sysctl)
[[ -n $SYSTEMD_SYSCTL ]] || skip "systemd-sysctl is not installed"
[[ -n $SYSCTL && $("$SYSCTL" --version) == *procps* ]] || skip "sysctl is not procps'"

# No file of a tree can touch the host: all of /proc/sys but net is read-only, and every folder is the stage's.
if ! mount --bind /proc/sys /proc/sys || ! mount --bind /proc/sys/net /proc/sys/net ||
	! mount -o remount,bind,ro /proc/sys; then
	fail "can't make /proc/sys read-only"
fi
[[ -d /usr/local/lib/sysctl.d ]] || mount -t tmpfs tmpfs /usr/local/lib || fail "mount /usr/local/lib"
mkdir -p /usr/local/lib/sysctl.d

# Of each key what a profile may ask for.
asks=(
	'net.core.somaxconn|at_least: 1024|at_least: 16384|at_least: 60000|set: 2048'
	'net.ipv4.tcp_rmem|at_least: [keep, keep, 67108864]|at_least: [8192, 262144, 67108864]'
	'net.ipv4.tcp_wmem|at_least: [keep, keep, 8388608]|at_most: [4096, keep, keep]'
	'net.ipv4.tcp_fin_timeout|at_most: 30s|set: 20s|at_least: 45s'
	'net.ipv4.tcp_syncookies|set: 1|at_least: 1'
	'net.ipv4.tcp_keepalive_time|set: 600s|at_most: 900s'
	'net.ipv4.tcp_keepalive_intvl|set: 20s|at_most: 60s'
	'net.ipv4.tcp_max_tw_buckets|at_least: 262144|at_least: 65536|set: 200000'
	'net.ipv4.ip_local_reserved_ports|set: "8080,9000-9100"'
	'net.ipv4.tcp_notsent_lowat|set: 16384|at_most: 131072'
	'net.ipv4.tcp_invalid_ratelimit|set: 5ms'
	'net.ipv4.ip_local_port_range|set: [10240, 60999]|set: [40000, 65000]|set: [33000, 61001]'
	'net.ipv4.ip_unprivileged_port_start|set: 1024|set: 10240|set: 33000'
	'net.ipv4.tcp_reordering|set: 5|set: 250'
	'net.ipv4.tcp_max_reordering|at_least: 600|set: 400'
	'net.ipv4.ip_forward|set: 1|set: 0'
)
paths=()
for ask in "${asks[@]}"; do
	key=${ask%%|*}
	paths+=("${key//.//}")
done
# A namespace has this from the host, not from the kernel.
[[ $(</proc/sys/net/ipv4/ip_forward) == 0 ]] || echo 0 >/proc/sys/net/ipv4/ip_forward

read_values() {
	local path
	for path in "${paths[@]}"; do
		printf '%s\t%s\n' "${path//\//.}" "$(tr '\t' ' ' <"/proc/sys/$path")"
	done
}

read_values >"$WORK/start"

reset_values() {
	local key value
	echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
	echo 1 >/proc/sys/net/ipv4/tcp_reordering
	while IFS=$'\t' read -r key value; do
		printf '%s\n' "$value" >"/proc/sys/${key//.//}" || fail "reset $key"
	done <"$WORK/start"
}

empty_tree() {
	find /etc/sysctl.d /run/sysctl.d /run/credentials /usr/lib/sysctl.d /usr/local/lib/sysctl.d -mindepth 1 \
		-delete 2>/dev/null
	rm -f /etc/sysctl.conf
	rm -rf /var/lib/tcptune
}

make_tree() { # SEED
	empty_tree
	"$driver" make "$1" / || fail "no tree"
	# Our own place stays free; a folder of this name, a link or somebody's file is refused, which others test.
	rm -rf "$DROP_IN"
	mkdir -p /run/systemd/system
	# Every other host boots with procps.
	(($1 % 2 == 0)) || rmdir /run/systemd/system
	# What random lines seldom come to: a site's own pair of keys that the kernel checks against each other, written
	# before ours, and systemd's way to take a line away.
	if (($1 % 4 < 2)); then
		printf 'net.ipv4.ip_local_port_range = %s 60999\nnet.ipv4.ip_unprivileged_port_start = %s\n' \
			40000 40000 >/usr/lib/sysctl.d/05-ports.conf
		printf 'net.ipv4.tcp_max_reordering = 20\nnet.ipv4.tcp_reordering = 10\n' >/run/sysctl.d/98-order.conf
	fi
	(($1 % 9 != 0)) || printf '# no\r\n-net.ipv4.tcp_keepalive_time\r\n' >/etc/sysctl.d/zz-minus.conf
	if (($1 % 7 == 0)); then
		mkdir -p /run/credentials/@system
		echo "net.ipv4.tcp_fin_timeout = 77" >/run/credentials/@system/sysctl.extra
	fi
}

make_profile() {
	local ask choices any=0
	printf 'schema: tcptune.profile.v1\nname: random\nsummary: made up\nsettings:\n'
	for ask in "${asks[@]}"; do
		((RANDOM % 3 == 0)) && continue
		IFS='|' read -ra choices <<<"$ask"
		printf '  %s: { %s, because: made up }\n' "${choices[0]}" \
			"${choices[1 + RANDOM % (${#choices[@]} - 1)]}"
		any=1
	done
	((any)) || printf '  net.ipv4.tcp_sack: { set: 1, because: something }\n'
}

# By hand, before tcptune: above, below, or as it was.
touch_values() {
	((RANDOM % 3 > 0)) || echo $((1 + RANDOM)) >/proc/sys/net/core/somaxconn
	((RANDOM % 3 > 0)) || echo $((10 + RANDOM % 100)) >/proc/sys/net/ipv4/tcp_fin_timeout
	((RANDOM % 3 > 0)) || echo 300000 >/proc/sys/net/ipv4/tcp_max_tw_buckets
	((RANDOM % 3 > 0)) || echo 20000 60000 >/proc/sys/net/ipv4/ip_local_port_range
}

boot() { # MODEL: the values that come up
	local program=("$SYSCTL" --system)
	[[ $1 == procps ]] || program=("$SYSTEMD_SYSCTL")
	export -f read_values
	PATHS="${paths[*]}" CREDENTIALS_DIRECTORY=/run/credentials/@system unshare -n "$BASH" -c '
		[[ $(</proc/sys/net/ipv4/ip_forward) == 0 ]] || echo 0 >/proc/sys/net/ipv4/ip_forward
		"$@" >/dev/null 2>&1
		read -ra paths <<<"$PATHS"
		read_values' boot "${program[@]}"
}

value='def text: if type == "array" then map(tostring) | join(" ") else tostring end;'
promises='.settings[] | select(.next_boot != null) | .key as $key | .next_boot | to_entries[]
	| select(.value != null and .value.value != null) | [$key, .key, (.value.value | text)] | @tsv'

compared=0
differences=0
complain() {
	differences=$((differences + 1))
	printf 'seed %s: %s\n' "$seed" "$*" >&2
	[[ -z ${TCT_KEEP-} ]] || cp -a /etc "$TCT_KEEP/etc-$seed"
}

same() { # KEY PROMISED REAL: milliseconds are rounded up to jiffies
	[[ $2 == "$3" ]] && return
	[[ $1 == net.ipv4.tcp_invalid_ratelimit ]] && (($3 >= $2 && $3 < $2 + 10))
}

real_value() { # KEY MODEL
	sed -n "s/^$1\t//p" "$WORK/boot.$2"
}

# check and apply --dry-run must agree, unless apply refuses.
agree() { # STATE
	local checked=0 planned=0
	"$TCPTUNE" apply --profile "$WORK/random.yaml" --persist --dry-run >"$WORK/plan" 2>"$WORK/err" || planned=$?
	"$TCPTUNE" check >"$WORK/out" 2>>"$WORK/err" || checked=$?
	states=$((states + 1))
	case $planned in
	0 | 1) ((checked == planned)) || complain "$1: check says $checked, apply --dry-run $planned" ;;
	3) ((checked != 0)) || complain "$1: check says 0, apply --dry-run refuses" ;;
	*) complain "$1: apply --dry-run exits $planned" ;;
	esac
}

check_promises() { # FILE with the JSON
	local key model promised real
	while IFS=$'\t' read -r key model promised; do
		real=$(real_value "$key" "$model")
		compared=$((compared + 1))
		same "$key" "$promised" "$real" ||
			complain "$model: $key: '$promised' was promised, '$real' comes up"
	done < <(jq -r "$value $promises" "$1")
}

# Not shadowed under a model that counts: our line comes up. Shadowed: another value does.
check_lines() {
	local key line drift model=procps real
	[[ ! -d /run/systemd/system ]] || model=systemd
	while IFS=$'\t' read -r key line drift; do
		real=$(real_value "$key" $model)
		if [[ $drift == *shadowed* ]]; then
			shadowed=$((shadowed + 1))
			! same "$key" "$line" "$real" || complain "$key is called shadowed, but '$line' comes up"
		else
			kept=$((kept + 1))
			same "$key" "$line" "$real" || complain "$key: '$line' is lost, '$real' comes up"
		fi
	done < <(jq -r "$value"' .settings[] | select(.wanted_boot != null)
		| [.key, (.wanted_boot | text), (.drift | join(","))] | @tsv' "$WORK/check")
}

try() {
	local code=0 allow=()
	"$TCPTUNE" apply --profile "$WORK/random.yaml" --persist --json >"$WORK/out" 2>"$WORK/err" || code=$?
	if ((code == 3)); then
		json '[.refused[].kind] - ["shadowed", "invariant", "range"] == []'
		if jq -e 'any(.refused[]; .kind != "shadowed")' "$WORK/out" >/dev/null; then
			impossible=$((impossible + 1))
			return
		fi
		refused=$((refused + 1))
		allow=(--allow-shadowed)
		run 0 apply --profile "$WORK/random.yaml" --persist --json "${allow[@]}"
	elif ((code != 0)); then
		fail "apply exits $code"
	fi
	json '.refused == []'
	cp "$WORK/out" "$WORK/apply"
	applied=$((applied + 1))
	code=0
	"$TCPTUNE" check --json >"$WORK/check" 2>"$WORK/err" || code=$?
	((code == ${#allow[@]})) || complain "check exits $code after apply ${allow[*]}"
	boot systemd >"$WORK/boot.systemd"
	boot procps >"$WORK/boot.procps"
	check_promises "$WORK/apply"
	check_promises "$WORK/check"
	check_lines
}

# What happens to a host afterwards; check and apply must see the same.
live_on() {
	agree "applied"
	echo 77 >/proc/sys/net/ipv4/tcp_fin_timeout
	echo 70000 >/proc/sys/net/core/somaxconn
	agree "touched by hand"
	printf 'net.core.somaxconn = 90000\nnet.ipv4.tcp_fin_timeout = 25\n' >/etc/sysctl.d/50-site.conf
	agree "a site's file"
	[[ ! -e $DROP_IN ]] || sed -i '/tcp_keepalive_time/d' "$DROP_IN"
	agree "a line gone"
	rm -f "$DROP_IN"
	agree "the drop-in gone"
	sed -i '/tcp_fin_timeout\|somaxconn/d' "$WORK/random.yaml"
	[[ $(grep -c because "$WORK/random.yaml") == 0 ]] || agree "the profile edited"
}

applied=0 refused=0 impossible=0 shadowed=0 kept=0 states=0 made=0
while ((applied < wanted_trees)); do
	((made < 4 * wanted_trees)) || fail "too many profiles are impossible"
	made=$((made + 1))
	RANDOM=$seed
	make_tree "$seed"
	make_profile >"$WORK/random.yaml"
	touch_values
	try
	((seed % 2 == 0)) || [[ ! -e $JOURNAL ]] || live_on
	reset_values
	seed=$((seed + 1))
done
printf '%s trees applied (%s more refused as impossible), %s refused as shadowed first, %s of our lines come up, %s ' \
	"$applied" "$impossible" "$refused" "$kept" "$shadowed"
printf 'are overridden as foretold; %s keys compared, %s states where check and apply agree, %s differences\n' \
	"$compared" "$states" "$differences"
((applied >= 30 || wanted_trees < 30)) || fail "too few trees"
((kept > applied && refused > 0 && shadowed > 0)) || fail "too little was tried to prove anything"
((differences == 0))
