#!/usr/bin/env bash
# Rules that look back, in `watch`: a condition must hold without a break, a rate is one over several intervals. The
# finding comes with the look at which that is so, and not before.
# shellcheck source-path=SCRIPTDIR source=../lab/lib.sh disable=SC1091,SC2016
. "$(dirname "$0")/../lab/lib.sh"

lab_open watch-time
PROFILE=$LAB_DIR/looks-back.yaml
cat >"$PROFILE" <<'YAML'
schema: tcptune.profile.v1
name: looks-back
summary: Rules that need more than one interval
rules:
  - id: listens-long
    each: listener
    when: port == 7000
    for_at_least: 3s
    severity: warning
    cause: application
    title: "{endpoint} has listened for 3 s"
  - id: many-connections
    when: rate_over(Tcp.PassiveOpens, 3s) > 5
    severity: warning
    cause: application
    title: "{rate_over(Tcp.PassiveOpens, 3s)} came in"
YAML

JSON=$LAB_DIR/json
: >"$JSON"
"$TCPTUNE" watch --netns "$SERVER" --interval 0.5 --json --profile "$PROFILE" >"$JSON" 2>"$LAB_DIR/err" </dev/null &
watcher=$!
LAB_ACTORS+=("$watcher")
lines() {
	kill -0 "$watcher" || fail "watch ended: $(<"$LAB_DIR/err")"
	(($(wc -l <"$JSON") >= $1))
}
await "two documents" 10 lines 2
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 512 --accept-and-close
listener=$ACTOR_PID
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --churn 40 --count 400
await "5 s with it" 20 lines "$(($(wc -l <"$JSON") + 12))"
actor_stop "$listener"
await "a while without it" 20 lines "$(($(wc -l <"$JSON") + 4))"
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 512 --accept-and-close
await "5 s with it again" 20 lines "$(($(wc -l <"$JSON") + 12))"
kill "$watcher"
wait "$watcher" || true

# For each document: how long it has been since the look at which the listener was seen first (0 = there is none, or
# it is new), and whether the finding is there. They must agree in every one.
held() {
	jq -r '[(any(.listeners[]; .port == 7000) | if . then 1 else 0 end), .interval_seconds,
		(any(.findings[]; .id == "listens-long") | if . then 1 else 0 end)] | @tsv' "$JSON" |
		awk '{
			held = $1 && before ? held + $2 : 0
			before = $1
			print held, $3, ($1 && held >= 3.0005) || ($1 && held >= 2.9995 && $3)
		}'
}
held >"$LAB_DIR/held"
expect "looks at which the finding is there or missing against the clock" \
	"$(awk '$2 != $3' "$LAB_DIR/held" | wc -l)" -eq 0
expect "looks at which it is there" "$(awk '$2' "$LAB_DIR/held" | wc -l)" -ge 4
# Twice it came: the second time had to wait as long as the first.
expect "times it came" "$(awk '$2 && !before { n++ } { before = $2 } END { print n + 0 }' "$LAB_DIR/held")" -eq 2

# The rate over 3 s isn't known before the looks go back so far, and that is said.
jq -r '[.interval_seconds, (any(.not_evaluated[]; . == "many-connections") | if . then 1 else 0 end), (any(.findings[]; .id == "many-connections") | if . then 1 else 0 end)] | @tsv' \
	"$JSON" >"$LAB_DIR/rates"
expect "documents without the history, that say so" \
	"$(awk '{ seen += $1 } seen < 2.9995 && !$2 || seen >= 3.0005 && $2' "$LAB_DIR/rates" | wc -l)" -eq 0
expect "documents with many connections" "$(awk '$3' "$LAB_DIR/rates" | wc -l)" -ge 4
expect "and without" "$(awk '!$3' "$LAB_DIR/rates" | wc -l)" -ge 6

# A second knows nothing of it: an audit of one interval says why.
ran=0
"$TCPTUNE" audit --netns "$SERVER" --interval 0.2 --profile "$PROFILE" --json >"$LAB_DIR/audit" 2>"$LAB_DIR/err" || ran=$?
expect "the audit's exit" "$ran" -eq 0
jq -e '(.findings | length == 0) and ([.not_evaluated[] | select(.reason | test("tcptune watch")) | .id] ==
	["listens-long", "many-connections"])' "$LAB_DIR/audit" >/dev/null ||
	fail "the audit: $(jq -c '[.findings, .not_evaluated]' "$LAB_DIR/audit")"
lab_pass
