#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq has variables of its own; a subshell's environment is meant
# The transaction on a real kernel: apply, check, history, rollback, and what the boot appliers make of the drop-in.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"

# --- apply, check, history, rollback -------------------------------------------------------------------------------

run 1 apply "${FIRST[@]}" --dry-run --json
json '.schema == "tcptune.plan.v1" and .changed and .transaction == null and (.settings | length) == 7'
ck_state "$WORK/old" "a dry run changes nothing"
[[ ! -e /var/lib/tcptune ]] || fail "a dry run makes no journal"
run 1 check --profile "$WORK/first.yaml"

run 0 apply "${FIRST[@]}" --reason $'noon\nkernel.panic = 1' --json
json '.schema == "tcptune.apply.v1" and .changed and .transaction == 1 and (.rolled_back | not)'
json '[.settings[] | select(.key == "net.core.somaxconn")][0] | .after == 16384 and .live_written and .persisted'
json '.drop_in.before_sha256 == null and (.drop_in.after_sha256 | length) == 64'
[[ $(sha256sum <$DROP_IN) == "$(jq -r .drop_in.after_sha256 "$WORK/out")"* ]] || fail "sha256 of the drop-in"
state >"$WORK/new"
grep -qx 'net/core/somaxconn = 16384' "$WORK/new" || fail "somaxconn is not 16384"
grep -qx 'net/ipv4/tcp_fin_timeout = 30' "$WORK/new" || fail "tcp_fin_timeout is not 30"
grep -qx 'net/ipv4/ip_local_port_range = 40000 60999' "$WORK/new" || fail "the port range"
grep -qx 'net/ipv4/ip_unprivileged_port_start = 40000' "$WORK/new" || fail "the first unprivileged port"
grep -q '^net.ipv4.tcp_rmem = .* 67108864$' $DROP_IN || fail "tcp_rmem in the drop-in"
grep -qx '# Reason: noon kernel.panic = 1' $DROP_IN || fail "the reason is one comment"
[[ $(stat -c %a $DROP_IN) == 644 && $(stat -c %a $JOURNAL) == 644 && $(stat -c %a /var/lib/tcptune) == 755 ]] ||
	fail "modes"
run 0 check --profile "$WORK/first.yaml" --json
json '.conforms and .live_looked'
# Sysctls are no secret: anybody may ask, if he can get at the program.
plain=(setpriv --reuid 65534 --clear-groups)
if "${plain[@]}" test -x "$TCPTUNE" 2>/dev/null; then
	code=0
	"${plain[@]}" "$TCPTUNE" check --profile base --json >"$WORK/out" 2>"$WORK/err" || code=$?
	# What is ours and not base's would go back.
	[[ $code == 1 ]] || fail "check as a plain user"
	json '[.settings[] | select(.drift != []) | .reason | startswith("no longer asked for")] | length == 7 and all'
	"${plain[@]}" "$TCPTUNE" history >"$WORK/out" 2>"$WORK/err" || fail "history as a plain user"
fi
run 0 check

# The second time: nothing at all is written.
cp $JOURNAL "$WORK/journal"
traced -e trace=write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir \
	-e trace=mkdirat,ftruncate,fchmod,fchown -- apply "${FIRST[@]}" --reason "another reason" --json
[[ $code == 0 ]] || fail "the second apply"
json '(.changed | not) and .transaction == null'
grep -v -e '^[0-9]* *write(1,' -e '+++' "$WORK/trace" && fail "the second apply writes"
cmp -s $JOURNAL "$WORK/journal" || fail "the second apply touched the journal"
ck_state "$WORK/new" "the second apply changes nothing"

# The boot appliers take it without a complaint, and give what was promised.
appliers=("sysctl --system")
for program in /usr/lib/systemd/systemd-sysctl /lib/systemd/systemd-sysctl; do
	[[ -x $program ]] && appliers+=("$program") && break
done
for applier in "${appliers[@]}"; do
	unshare -n "$BASH" -c '
		cd / || exit 1
		'"$applier"' >"$WORK/out" 2>"$WORK/err" || { echo "exit $?"; exit 1; }
		[[ ! -s $WORK/err ]] || { echo "complains"; exit 1; }
		for key in net/core/somaxconn net/ipv4/tcp_fin_timeout net/ipv4/tcp_rmem net/ipv4/tcp_keepalive_time \
			net/ipv4/tcp_invalid_ratelimit; do
			printf "%s = %s\n" "$key" "$(tr "\t" " " <"/proc/sys/$key")"
		done' >"$WORK/booted" || fail "$applier: $(cat "$WORK/booted")"
	while read -r line; do
		grep -qxF "$line" "$WORK/new" || fail "$applier gives '$line'"
	done <"$WORK/booted"
done

# A profile change goes straight from old to new; what only the first set goes back.
run 0 apply "${SECOND[@]}" --json
json '.transaction == 2 and ([.settings[].key] | index("net.ipv4.tcp_keepalive_time") | not)'
grep -q '^net.ipv4.tcp_fin_timeout' $DROP_IN && fail "a line of the first profile is left"
[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 60 ]] || fail "tcp_fin_timeout didn't go back"
[[ $(</proc/sys/net/core/somaxconn) == 32768 ]] || fail "somaxconn is not 32768"
[[ $(</proc/sys/net/ipv4/ip_unprivileged_port_start) == 1024 ]] || fail "the first unprivileged port didn't go back"
run 0 check
run 0 rollback --json
json '.schema == "tcptune.rollback.v1" and .changed and .undid == 2 and (.conflicts | length) == 0'
ck_state "$WORK/new" "rollback of the second gives the first"
run 0 check
run 0 rollback
ck_state "$WORK/old" "rollback of the first gives the old state"
[[ ! -e $DROP_IN ]] || fail "the drop-in is still there"
run 0 rollback --json
json '(.changed | not) and .undid == null'
run 0 rollback --netns /proc/self/ns/net
# shellcheck disable=SC2046 # words
"$TCPTUNE" $(sed -n 's/^next: tcptune //p' "$WORK/out") >/dev/null || fail "the suggested command is refused"
run 0 history --json
json '[.transactions[] | select(.kind == "apply") | .state] | unique == ["rolled-back"]'
json '(.transactions | length) == 4 and .transactions[3].reason == "noon kernel.panic = 1"'

# An older transaction: what a later one has, stays; the later one then goes back to the very beginning.
run 0 apply "${FIRST[@]}"
run 0 apply "${SECOND[@]}"
first=$("$TCPTUNE" history --json | jq '[.transactions[] | select(.kind == "apply" and .state == "committed")] | last | .id')
state >"$WORK/both"
run 0 rollback "$first"
ck_state "$WORK/both" "the later transaction has them all"
run 0 rollback
ck_state "$WORK/old" "then back to the beginning"

# --- three ways ----------------------------------------------------------------------------------------------------

run 0 apply "${FIRST[@]}"
set_value net/ipv4/tcp_fin_timeout 25
run 0 check # at_most 30: 25 is as good, and is the baseline now
run 1 rollback --json
json '[.conflicts[].key] == ["net.ipv4.tcp_fin_timeout"] and .conflicts[0].now == 25 and .conflicts[0].before == 60'
[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 25 ]] || fail "a conflict must be left alone"
set_value net/ipv4/tcp_fin_timeout 60
ck_state "$WORK/old" "all but the conflict went back"

run 0 apply "${FIRST[@]}"
set_value net/ipv4/tcp_fin_timeout 25
run 0 rollback --force --json
json '(.conflicts | length) == 0'
ck_state "$WORK/old" "--force puts it back"

# What a rollback left alone, --force still gets: that and nothing else, and only once.
run 0 apply "${FIRST[@]}"
set_value net/ipv4/tcp_fin_timeout 25
run 1 rollback
set_value net/ipv4/tcp_keepalive_time 1234
run 0 rollback --force --json
json '.changed and [.settings[].key] == ["net.ipv4.tcp_fin_timeout"] and (.conflicts | length) == 0'
[[ $(</proc/sys/net/ipv4/tcp_keepalive_time) == 1234 ]] || fail "--force took what had gone back already"
set_value net/ipv4/tcp_keepalive_time 7200
ck_state "$WORK/old" "--force after a conflict"
run 0 rollback --force --json
json '(.changed | not) and .undid == null'

# A drop-in that somebody edited.
run 0 apply "${FIRST[@]}"
echo "net.ipv4.tcp_sack = 0" >>$DROP_IN
run 3 apply "${SECOND[@]}" --json
json '.refused[0].kind == "drop-in" and (.changed | not)'
run 1 rollback --json
json '.conflicts | length == 1 and .[0].key == null'
grep -q '^net.ipv4.tcp_sack = 0' $DROP_IN || fail "the edited drop-in must be left alone"
run 0 rollback --force --json
json '.changed and (.conflicts | length) == 0'
ck_state "$WORK/old" "--force takes the edited drop-in away"
run 0 apply "${FIRST[@]}"
echo "net.ipv4.tcp_sack = 0" >>$DROP_IN
run 1 rollback --json
rm $DROP_IN
ck_state "$WORK/old" "live values went back"

# Nothing but a conflict: nothing is done, and the transaction stands.
cat >"$WORK/one.yaml" <<'END'
schema: tcptune.profile.v1
name: one
summary: one key
settings:
  net.ipv4.tcp_fin_timeout: { set: 33s, because: for the test }
END
run 0 apply --profile "$WORK/one.yaml" --no-persist
set_value net/ipv4/tcp_fin_timeout 25
run 1 rollback --json
json '(.changed | not) and .transaction == null and (.conflicts | length) == 1'
set_value net/ipv4/tcp_fin_timeout 33
run 0 rollback --json
json '.changed'
ck_state "$WORK/old" "a transaction that still stood"

# A link in its place is refused.
echo "# mine" >"$WORK/mine"
ln -s "$WORK/mine" $DROP_IN
run 3 apply "${FIRST[@]}"
grep -q 'symbolic link' "$WORK/err" || fail "the reason for refusing a link"
[[ $(cat "$WORK/mine") == "# mine" ]] || fail "the link was followed"
rm $DROP_IN
ck_state "$WORK/old" "a refused link"

# The folder is made if it is missing; another file that wins is refused with its line.
rmdir /etc/sysctl.d
run 0 apply "${FIRST[@]}"
[[ $(stat -c %a /etc/sysctl.d) == 755 ]] || fail "mode of /etc/sysctl.d"
reset "a missing folder"
echo "net.core.somaxconn = 128" >/etc/sysctl.d/zz.conf
run 3 apply "${FIRST[@]}" --json
json '.refused[0].kind == "shadowed" and (.refused[0].reason | contains("/etc/sysctl.d/zz.conf:1"))'
run 3 apply "${FIRST[@]}" --dry-run
run 0 apply "${FIRST[@]}" --allow-shadowed --json
json '[.shadowed[] | select(.file == "/etc/sysctl.d/zz.conf")] | length == 2'
run 0 rollback
rm /etc/sysctl.d/zz.conf
ck_state "$WORK/old" "a shadowed key"

# Without --persist in this namespace: live values only.
run 0 apply --profile "$WORK/first.yaml" --json
json '.changed and .drop_in == null'
[[ ! -e $DROP_IN ]] || fail "a drop-in for another namespace than the host's"
reset "live only"
