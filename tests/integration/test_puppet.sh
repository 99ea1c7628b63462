#!/usr/bin/env bash
# shellcheck disable=SC2016 # jq has variables of its own
# The Puppet module with real puppet: the first run changes, the second doesn't, --noop writes nothing, what is refused
# fails with the reason.
TOOL_PROGRAM=puppet
TOOL_PACKAGE=puppet-agent
# shellcheck source-path=SCRIPTDIR source=tools.sh
. "$(dirname "$0")/tools.sh"
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=untouched.sh
. "$(dirname "$0")/untouched.sh"
tools_ready

export LC_ALL=C.UTF-8 HOME=$WORK/home
mkdir -p "$WORK"/{home,modules}
ln -s "$TCT_SOURCE_DIR/integrations/puppet" "$WORK/modules/tcptune"

dirs=()
for dir in confdir vardir rundir logdir statedir ssldir publicdir; do
	dirs+=("--$dir" "$WORK/puppet/$dir")
done
mkdir "$WORK/puppet"

# puppet_apply EXPECTED_EXIT MANIFEST [WORDS...]: 0 nothing to do, 2 changed, 4 and 6 failed
puppet_apply() {
	local expected=$1 manifest=$2 status=0
	shift 2
	puppet apply "${dirs[@]}" --modulepath "$WORK/modules" --detailed-exitcodes \
		--color false -e "$manifest" "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
	[[ $status == "$expected" ]] || fail "puppet $*: exit $status, not $expected"
}

first="tcptune::apply { 'web': executable => '$TCPTUNE', profiles => ['$WORK/first.yaml'], persist => true, reason => 'it\\'s \$HOME' }"

remember
puppet_apply 0 "$first" --noop
grep -q 'Exec\[tcptune apply web\].*noop' "$WORK/out" || fail "--noop doesn't tell what it would run"
ck_untouched "--noop"

puppet_apply 2 "$first"
grep -q 'Exec\[tcptune apply web\]/returns: executed successfully' "$WORK/out" || fail "the first run"
[[ $(</proc/sys/net/core/somaxconn) == 16384 ]] || fail "somaxconn"
[[ -s $DROP_IN ]] || fail "the drop-in"
run 0 history --json
json '.transactions[0].reason == "it'\''s $HOME"'

remember
puppet_apply 0 "$first"
grep -q 'Exec\[tcptune apply web\]' "$WORK/out" && fail "the second run runs something"
ck_untouched "the second run"

# Drift is put right; the guard is `tcptune check` where nothing else is asked for.
set_value net/ipv4/tcp_fin_timeout 50
run 1 check --quiet --profile "$WORK/first.yaml"
puppet_apply 2 "class { 'tcptune': profiles => ['$WORK/first.yaml'], options => { 'executable' => '$TCPTUNE' } }" --debug
grep -q "check.*--quiet.*--profile=$WORK/first.yaml" "$WORK/out" || fail "the guard is not check"
[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 30 ]] || fail "tcp_fin_timeout"

# Refused: the reason is told, nothing is written.
cat >"$WORK/never.yaml" <<'YAML'
schema: tcptune.profile.v1
name: never
summary: What a blog says
settings:
  net.ipv4.tcp_abort_on_overflow: { set: 1, because: a blog says so }
YAML
remember
puppet_apply 4 "tcptune::apply { 'blog': executable => '$TCPTUNE', profiles => ['$WORK/never.yaml'] }"
grep -q 'refused, nothing was changed: net.ipv4.tcp_abort_on_overflow' "$WORK/out" || fail "the reason isn't told"
ck_untouched "a refused apply"

# A single key beside a profile, by words that no shell may see; `exact` sees what only the former profile set.
puppet_apply 2 "tcptune::apply { 'exact': executable => '$TCPTUNE', exact => true, profiles => ['$WORK/second.yaml'],
	settings => { 'net.ipv4.tcp_rmem' => '4096 131072 8388608' } }" --debug
grep -q "apply.*--dry-run.*--quiet.*--profile=$WORK/second.yaml" "$WORK/out" || fail "the guard is not the plan"
[[ $(tr '\t' ' ' </proc/sys/net/ipv4/tcp_rmem) == '4096 131072 8388608' ]] || fail "tcp_rmem"
[[ $(</proc/sys/net/ipv4/ip_unprivileged_port_start) == 1024 ]] || fail "the former profile's key doesn't go back"

echo "puppet: changed, unchanged, noop, refused"
