#!/usr/bin/env bash
# shellcheck disable=SC2016 # a reason that looks like a variable
# The guard for cron and CI: quiet while the host conforms, apply on drift, the reason when refused, and its exit codes.
# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"
# shellcheck source-path=SCRIPTDIR source=untouched.sh
. "$(dirname "$0")/untouched.sh"

SHELL_WORDS=()
guard() { # EXPECTED_EXIT WORDS...
	local expected=$1 code=0
	shift
	"${SHELL_WORDS[@]}" "$TCT_SOURCE_DIR/integrations/shell/tcptune-guard.sh" "$@" >"$WORK/out" 2>"$WORK/err" || code=$?
	[[ $code == "$expected" ]] || fail "tcptune-guard $*: exit $code, not $expected"
}

silent() { [[ ! -s $WORK/out && ! -s $WORK/err ]] || fail "$1 says something"; }

wanted=(--profile "$WORK/first.yaml")
remember
guard 1 -n -- "${wanted[@]}"
grep -q "doesn't conform: --profile $WORK/first.yaml" "$WORK/err" || fail "-n doesn't tell"
ck_untouched "-n"

guard 0 -r "it's \$HOME" -- "${wanted[@]}"
grep -q 'net.core.somaxconn' "$WORK/out" || fail "what was changed isn't told"
run 0 history --json
json '.transactions[0].reason == "it'\''s $HOME"'
remember
guard 0 -- "${wanted[@]}"
silent "the second run"
ck_untouched "the second run"
set_value net/ipv4/tcp_fin_timeout 50
guard 0 -- "${wanted[@]}"
[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 30 ]] || fail "drift isn't put right"

# CI runs scripts by a shell that ends at the first failure: drift isn't one.
for shell in 'sh -e' 'bash -euo pipefail'; do
	read -ra SHELL_WORDS <<<"$shell"
	set_value net/ipv4/tcp_fin_timeout 50
	guard 1 -n -- "${wanted[@]}"
	grep -q "doesn't conform" "$WORK/err" || fail "-n doesn't tell, by $shell"
	guard 0 -- "${wanted[@]}"
	[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 30 ]] || fail "drift isn't put right by $shell"
done
SHELL_WORDS=()

# Keys that only a former profile set go back.
cat >"$WORK/less.yaml" <<'YAML'
schema: tcptune.profile.v1
name: less
summary: One of the first's keys
settings:
  net.core.somaxconn: { at_least: 16384, because: the cap on listen() }
YAML
guard 1 -n -- --profile "$WORK/less.yaml"
guard 0 -- --profile "$WORK/less.yaml"
[[ $(</proc/sys/net/ipv4/tcp_keepalive_time) == 7200 ]] || fail "the former profile's key doesn't go back"

cat >"$WORK/never.yaml" <<'YAML'
schema: tcptune.profile.v1
name: never
summary: What a blog says
settings:
  net.ipv4.tcp_abort_on_overflow: { set: 1, because: a blog says so }
YAML
remember
for options in "" -n; do
	# shellcheck disable=SC2086 # words
	guard 3 $options -- --profile "$WORK/never.yaml"
	[[ $(grep -c 'refused, nothing was changed: net.ipv4.tcp_abort_on_overflow' "$WORK/err") == 1 ]] ||
		fail "the reason isn't told once"
done
guard 2 -- --profile no-such
[[ $(wc -l <"$WORK/err") == 1 ]] || fail "bad input is told more than once"
guard 2
guard 2 -z
TCPTUNE=$WORK/nowhere guard 127 -- "${wanted[@]}"
exec {lock}>/run/tcptune.lock
flock "$lock"
guard 5 -w 0 -- "${wanted[@]}"
exec {lock}>&-
ck_untouched "what was refused"

echo "the guard is quiet, applies, refuses"
