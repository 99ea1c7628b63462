#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq has variables of its own; a subshell's environment is meant
# The order of live writes on a real kernel, there and back, up and down: as strace sees them. One open and one write a
# value; where the kernel refuses the wrong order, that is tried by hand.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"

IPV4=/proc/sys/net/ipv4
RANGE=ip_local_port_range
START=ip_unprivileged_port_start
RESERVED=ip_local_reserved_ports

# The values written to /proc/sys in the last trace (with -y), "key value" a line.
written() {
	sed -n 's|.* write([0-9]*</proc/sys/net/.*/\([^/>]*\)>, "\(.*\)\\n".*|\1 \2|p' "$WORK/trace" | sed 's/ $//'
}
opened() { # how many files of /proc/sys were opened for writing
	grep -c 'openat(.*O_WRONLY.*= [0-9]*</proc/sys/net/' "$WORK/trace"
}
ck_written() { # WHAT LINES...
	local what=$1
	shift
	written >"$WORK/written"
	printf '%s\n' "$@" | diff -u - "$WORK/written" >"$WORK/diff" || {
		cat "$WORK/diff" >&2
		fail "$what: these writes, in this order"
	}
}

declare -A BEFORE
begin() { # KEY VALUE...: what the namespace has before
	BEFORE=()
	while (($#)); do
		echo "$2" >"$IPV4/$1" || fail "can't begin with $1 = $2"
		BEFORE[$1]=$(tr '\t' ' ' <"$IPV4/$1")
		shift 2
	done
}
profile() { # LINES: settings
	{
		printf 'schema: tcptune.profile.v1\nname: order\nsummary: in order\nsettings:\n'
		printf '  net.ipv4.%s\n' "$@"
	} >"$WORK/order.yaml"
}
# both_ways WHAT FIRST SECOND BACK_FIRST BACK_SECOND: the writes of apply, then of rollback
both_ways() {
	local what=$1 key
	traced -y -e trace=openat,write -- apply --profile "$WORK/order.yaml" --no-persist
	[[ $code == 0 ]] || fail "$what, there: exit $code"
	ck_written "$what, there" "$2" "$3"
	[[ $(opened) == 2 ]] || fail "$what: one open and one write a value"
	traced -y -e trace=openat,write -- rollback
	[[ $code == 0 ]] || fail "$what, back: exit $code"
	ck_written "$what, back" "$4" "$5"
	for key in "${!BEFORE[@]}"; do
		[[ $(tr '\t' ' ' <"$IPV4/$key") == "${BEFORE[$key]}" ]] || fail "$what: $key is not as before"
	done
}
refuses() { # KEY VALUE: the kernel does
	if echo "$2" 2>/dev/null >"$IPV4/$1"; then fail "the kernel takes $1 = $2 in the wrong order"; fi
}

# --- the port range and the first unprivileged port: the kernel refuses one that is below the other ---------------

# Up. The profile names them in the wrong order.
begin $START 1024 $RANGE "20000 60999"
profile "$START: { set: 30000, because: up }" "$RANGE: { set: [32768, 60999], because: up }"
refuses $START 30000
both_ways "up" "$RANGE 32768 60999" "$START 30000" "$START 1024" "$RANGE 20000 60999"
# Down.
begin $RANGE "32768 60999" $START 30000
profile "$RANGE: { set: [10240, 60999], because: down }" "$START: { set: 1024, because: down }"
refuses $RANGE "10240 60999"
both_ways "down" "$START 1024" "$RANGE 10240 60999" "$RANGE 32768 60999" "$START 30000"
# They meet: either order is taken, and the way back is derived, not the way there reversed.
begin $START 1024 $RANGE "32768 60999"
profile "$RANGE: { set: [10240, 60999], because: down }" "$START: { set: 2048, because: up }"
both_ways "towards each other" "$START 2048" "$RANGE 10240 60999" "$RANGE 32768 60999" "$START 1024"
begin $START 1024 $RANGE "32768 60999"

# Reserved ports are so before the range takes them in, and until it lets go of them.
echo >"$IPV4/$RESERVED"
begin $RANGE "32768 60999"
profile "$RANGE: { set: [32768, 65535], because: more }" "$RESERVED: { set: '61616', because: a service }"
both_ways "reserved" "$RESERVED 61616" "$RANGE 32768 65535" "$RANGE 32768 60999" "$RESERVED"
[[ $(<"$IPV4/$RESERVED") == "" ]] || fail "a port is still reserved"

# --- tcp_reordering below its maximum ------------------------------------------------------------------------------

begin tcp_max_reordering 100 tcp_reordering 3
profile "tcp_reordering: { set: 200, because: up }" "tcp_max_reordering: { set: 1000, because: up }"
refuses tcp_reordering 200
both_ways "reordering up" "tcp_max_reordering 1000" "tcp_reordering 200" "tcp_reordering 3" "tcp_max_reordering 100"
# Down the kernel takes either order; but then the way back would be closed at its first step.
begin tcp_max_reordering 1000 tcp_reordering 200
profile "tcp_max_reordering: { set: 100, because: down }" "tcp_reordering: { set: 50, because: down }"
both_ways "reordering down" "tcp_reordering 50" "tcp_max_reordering 100" "tcp_max_reordering 1000" "tcp_reordering 200"
# A value that stands, but could not be written again, is not given up.
echo 100 >"$IPV4/tcp_max_reordering"
profile "tcp_reordering: { set: 50, because: down }"
run 3 apply --profile "$WORK/order.yaml" --no-persist --json
json '.refused == [{"key": "net.ipv4.tcp_reordering", "kind": "invariant", "reason": .refused[0].reason}]'
[[ $(<"$IPV4/tcp_reordering") == 200 ]] || fail "a refused change was made"
begin tcp_max_reordering 300 tcp_reordering 3

# --- no moment of tcp_tw_reuse = 1 without timestamps --------------------------------------------------------------

begin tcp_tw_reuse 0 tcp_timestamps 0
profile "tcp_tw_reuse: { set: 1, because: out }" "tcp_timestamps: { set: 1, because: for it }"
both_ways "reuse on" "tcp_timestamps 1" "tcp_tw_reuse 1" "tcp_tw_reuse 0" "tcp_timestamps 0"
begin tcp_timestamps 1 tcp_tw_reuse 1
profile "tcp_timestamps: { set: 0, because: off }" "tcp_tw_reuse: { set: 0, because: off }"
both_ways "reuse off" "tcp_tw_reuse 0" "tcp_timestamps 0" "tcp_timestamps 1" "tcp_tw_reuse 1"
begin tcp_timestamps 1 tcp_tw_reuse 2

# --- ip_forward resets others: first, there and back ---------------------------------------------------------------

begin ip_forward 0 conf/all/rp_filter 0
profile "conf.all.rp_filter: { set: 1, because: checked }" "ip_forward: { set: 1, because: a router }"
both_ways "forwarding" "ip_forward 1" "rp_filter 1" "ip_forward 0" "rp_filter 0"
# What it resets could not be put back: then it is refused, and nothing is written.
for reset in all/accept_redirects:0 lo/forwarding:1; do
	file=$IPV4/conf/${reset%:*}
	was=$(<"$file")
	echo "${reset#*:}" >"$file"
	run 3 apply --profile "$WORK/order.yaml" --no-persist --json
	json '.refused == [{"key": "net.ipv4.ip_forward", "kind": "invariant", "reason": .refused[0].reason}] and
		(.refused[0].reason | test("'"${reset%:*}"'"))'
	[[ $(<"$file") == "${reset#*:}" && $(<$IPV4/ip_forward) == 0 ]] || fail "a refused change of ip_forward"
	run 3 apply --profile "$WORK/order.yaml" --no-persist --dry-run
	echo "$was" >"$file"
done
both_ways "forwarding, again" "ip_forward 1" "rp_filter 1" "ip_forward 0" "rp_filter 0"

# --- put back after a failure, and after a kill --------------------------------------------------------------------

# The last of three fails: what was written goes back in the order of that way. A range that rises, then the start.
begin $START 1024 $RANGE "20000 60999" tcp_retries1 3
profile "$START: { set: 30000, because: up }" "$RANGE: { set: [32768, 60999], because: up }" \
	"tcp_retries1: { set: 5, because: the one that fails }"
three=(-P "$IPV4/$START" -P "$IPV4/$RANGE" -P "$IPV4/tcp_retries1")
traced -y -e trace=openat,write "${three[@]}" -e inject=write:error=EIO:when=3 -- \
	apply --profile "$WORK/order.yaml" --no-persist
[[ $code == 3 ]] || fail "a failure at the last key: exit $code"
ck_written "put back" "$RANGE 32768 60999" "$START 30000" "tcp_retries1 5" "$START 1024" "$RANGE 20000 60999"
for key in "${!BEFORE[@]}"; do
	[[ $(tr '\t' ' ' <"$IPV4/$key") == "${BEFORE[$key]}" ]] || fail "put back: $key is not as before"
done
# Killed before the last: the next one undoes it in the order of the way back.
traced -y -e trace=openat,write -P "$IPV4/tcp_retries1" -e inject=write:signal=KILL:when=1 -- \
	apply --profile "$WORK/order.yaml" --no-persist
((code != 0)) || fail "it was not killed"
[[ $(<"$IPV4/$START") == 30000 ]] || fail "it was killed too early"
traced -y -e trace=openat,write -- rollback
[[ $code == 0 ]] || fail "recovery: exit $code"
ck_written "recovered" "$START 1024" "$RANGE 20000 60999"
for key in "${!BEFORE[@]}"; do
	[[ $(tr '\t' ' ' <"$IPV4/$key") == "${BEFORE[$key]}" ]] || fail "recovered: $key is not as before"
done
begin $START 1024 $RANGE "32768 60999"

# --- the order of the lines ----------------------------------------------------------------------------------------

# Chosen by what a file of others makes of the boot; confirm and rollback write the same one.
printf 'net.ipv4.ip_local_port_range = 2000 60999\n' >/etc/sysctl.d/10-site.conf
LINES=(--set "net.ipv4.ip_local_port_range=20000 60999" --set net.ipv4.ip_unprivileged_port_start=15000 --persist
	--boot procps)
lines() { grep -v -e '^#' -e '^$' $DROP_IN; }
run 0 apply "${LINES[@]}"
lines >"$WORK/lines"
head -1 "$WORK/lines" | grep -q '^net.ipv4.ip_local_port_range' || fail "the order that the kernel takes"
run 0 check --boot procps
run 0 rollback
run 0 apply "${LINES[@]}" --confirm-within 60
run 0 confirm
lines | diff "$WORK/lines" - || fail "the order after confirm"
run 0 check --boot procps
run 0 apply "${LINES[@]}" --json
json '.changed | not'
set_value net/ipv4/ip_unprivileged_port_start 14000
run 0 apply "${LINES[@]}" # live alone: the drop-in stays as it is
run 0 apply --set net.ipv4.tcp_retries1=4 --persist --boot procps
run 0 rollback
lines | diff "$WORK/lines" - || fail "the order after rollback"
run 0 check --boot procps
run 0 rollback
run 0 rollback --force
set_value net/ipv4/ip_unprivileged_port_start 1024
set_value net/ipv4/ip_local_port_range "32768 60999"
rm /etc/sysctl.d/10-site.conf

# --- read back field by field --------------------------------------------------------------------------------------

read -r -a rmem <$IPV4/tcp_rmem
line="${rmem[0]} ${rmem[1]} 67108864"
profile "tcp_rmem: { set: [${rmem[0]}, ${rmem[1]}, 67108864], because: three fields }"
traced -P $IPV4/tcp_rmem -e inject=write:retval=$((${#line} + 1)):when=1 -- \
	apply --profile "$WORK/order.yaml" --no-persist --json
[[ $code == 3 ]] || fail "a swallowed vector: exit $code"
grep -q "tcp_rmem: $line was written without an error, but field 3 is read back as ${rmem[2]}" "$WORK/err" ||
	fail "the field that differs"
ck_state "$WORK/old" "everything is as it was"
