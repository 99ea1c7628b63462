#!/usr/bin/env bash
# `watch` for real: lines that a script can read, and on a pseudo-terminal the screen (watch_screen.py).
# shellcheck source-path=SCRIPTDIR source=../lab/lib.sh disable=SC1091,SC2016
. "$(dirname "$0")/../lab/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
lab_open watch
OUT=$LAB_DIR/out

# ran WHAT EXPECTED-EXIT WORDS...: `tcptune watch`, its output in $OUT
ran() {
	local what=$1 expected=$2 code=0
	shift 2
	"$TCPTUNE" watch --netns "$SERVER" "$@" >"$OUT" 2>"$LAB_DIR/err" </dev/null || code=$?
	((code == expected)) || fail "$what: exit $code: $(<"$LAB_DIR/err")"
}

# --- lines ---------------------------------------------------------------------------------------

ran "lines" 0 --interval 0.2 --count 25
expect "two headings over 25 lines" "$(grep -c '^TIME ' "$OUT")" -eq 2
expect "25 lines" "$(grep -c '^20' "$OUT")" -eq 25
expect "nothing else" "$(wc -l <"$OUT")" -eq 27
expect "eleven columns in each" "$(awk 'NF != 11' "$OUT" | wc -l)" -eq 0
expect "an idle namespace" "$(awk '/^20/ { for (i = 2; i <= 9; i++) sum += $i } END { print sum + 0 }' "$OUT")" -eq 0

# A queue that fills, and is gone again. The lines are written as they come: the file grows meanwhile.
OUT=$LAB_DIR/lines # the background makes it when it likes: it must not be there yet
"$TCPTUNE" watch --netns "$SERVER" --interval 0.2 --count 600 >"$OUT" 2>&1 </dev/null &
watcher=$!
"$TCPTUNE" watch --netns "$SERVER" --interval 0.2 --json >"$LAB_DIR/json" 2>&1 </dev/null &
LAB_ACTORS+=("$watcher" "$!")
seen() {
	grep -qs -e "$1" "$OUT"
}
# whole_lines FILE: SIGTERM may have come in the middle of the last line.
whole_lines() {
	[[ -z $(tail -c 1 "$1") ]] || sed -i '$d' "$1"
}
# seen_often N AWK-CONDITION: in as many lines
seen_often() {
	(($(awk "/^20/ && $2" "$OUT" | wc -l) >= $1))
}
await "the first line" 20 seen '^20'
actor "$SERVER" listen --address "$SERVER4" --port 7000 --backlog 10 --no-accept
listener=$ACTOR_PID
actor "$CLIENT" connect --to "$SERVER4" --port 7000 --count 40 --nonblocking --hold
callers=$ACTOR_PID
await "the finding" 20 seen "^+ critical accept-queue-full: $SERVER4:7000 has 11 connections"
older() {
	jq -se 'any(.[].findings[]; .id == "accept-queue-full" and .lasts_seconds > 0.3)' "$LAB_DIR/json" >/dev/null 2>&1
}
await "it gets older as JSON" 20 older
await "three looks at 11 ESTABLISHED" 20 seen_often 3 '$2 == 11'
actor_stop "$callers"
actor_stop "$listener"
await "its end" 20 seen "^- critical accept-queue-full $SERVER4:7000: gone after [0-9]* \(s\|min\)\$"
expect "it came once" "$(grep -c '^+ critical accept-queue-full' "$OUT")" -eq 1
expect "connections came in" "$(awk '/^20/ && $8 > 0' "$OUT" | wc -l)" -ge 1
expect "queues overflowed" "$(awk '/^20/ && $11 > 0' "$OUT" | wc -l)" -ge 1
kill -0 "$watcher" || fail "watch ended by itself"
kill "$watcher"
status=0
wait "$watcher" || status=$?
expect "SIGTERM ends lines" "$status" -eq 143

# --- JSON ----------------------------------------------------------------------------------------

# The same story, as a collector reads it.
await "its end as JSON" 20 grep -q '"gone":\[{[^]]*accept-queue-full' "$LAB_DIR/json"
kill "${LAB_ACTORS[1]}"
wait "${LAB_ACTORS[1]}" || true
whole_lines "$LAB_DIR/json"
jq -se 'def full: select(.id == "accept-queue-full");
	([.[].findings[] | full | select(.came)] | length == 1) and
	([.[].gone[] | full | select(.subject == $subject and .severity == "critical")] | length == 1) and
	any(.[].listeners[]; .queue == 11 and .backlog == 10) and
	any(.[].rates; .["TcpExt.ListenOverflows"] > 0) and any(.[].rates; .["Tcp.PassiveOpens"] > 0)' \
	--arg subject "$SERVER4:7000" "$LAB_DIR/json" >/dev/null || fail "the story in JSON: $(jq -c '[.findings, .gone, .rates]' "$LAB_DIR/json")"
if python3 -c 'import jsonschema' 2>/dev/null; then
	mkdir "$LAB_DIR/schemas" "$LAB_DIR/documents"
	cp "$TCT_SOURCE_DIR/docs/schemas/tcptune.watch.v1.schema.json" "$LAB_DIR/schemas"
	split -l 1 -a 4 "$LAB_DIR/json" "$LAB_DIR/documents/"
	python3 "$here/../golden/validate.py" "$LAB_DIR/schemas" "$LAB_DIR/documents"/* || fail "the schema"
fi

# No connection is lost between two intervals, nor counted in both.
before=$(counter "$SERVER" TcpPassiveOpens)
JSON=$LAB_DIR/steady
"$TCPTUNE" watch --netns "$SERVER" --interval 0.1 --json >"$JSON" 2>&1 </dev/null &
watcher=$!
LAB_ACTORS+=("$watcher")
lines() {
	(($(wc -l <"$JSON") >= $1))
}
await "the first document" 20 lines 1
actor "$SERVER" listen --address "$SERVER4" --port 7001 --backlog 512 --accept-and-close
listener=$ACTOR_PID
actor "$CLIENT" connect --to "$SERVER4" --port 7001 --churn 200 --count 400
served() {
	(($(counter "$SERVER" TcpPassiveOpens) - before >= 400))
}
await "400 connections" 60 served
await "three more documents" 20 lines "$(($(wc -l <"$JSON") + 3))"
kill "$watcher"
wait "$watcher" || true
whole_lines "$JSON"
actor_stop "$listener"
expect "connections in all intervals" \
	"$(jq -s '[.[] | (.rates["Tcp.PassiveOpens"] // 0) * .interval_seconds] | add | round' "$JSON")" \
	-eq "$(($(counter "$SERVER" TcpPassiveOpens) - before))"

ran "JSON" 0 --json --interval 0.2 --count 3
# Not compared byte by byte: jq has its own way to write a number such as 0.0.
expect "one document a line" "$(jq -Rr 'fromjson | type' "$OUT" | grep -cx object)" -eq "$(wc -l <"$OUT")"
expect "three of them" "$(jq -s 'length' "$OUT")" -eq 3
# A slow machine sends more SYNs again, and a hundred overflows are remembered since "boot".
jq -se 'all(.[]; .schema == "tcptune.watch.v1" and .interval_seconds > 0.05 and .states.counts.LISTEN == 0
	and ([.findings[] | select(.id != $old)] == []) and .gone == [] and .host.netns.name == $name)' --arg name "$SERVER" --arg old since-boot-overflows "$OUT" >/dev/null ||
	fail "the documents: $(<"$OUT")"

# --- ends ----------------------------------------------------------------------------------------

# A reader that goes is noticed at once, not after an interval, and is no failure.
SECONDS=0
"$TCPTUNE" watch --netns "$SERVER" --interval 60 2>"$LAB_DIR/err" | head -n 1 >"$OUT" &&
	expect "the reader gone: exit" "${PIPESTATUS[0]}" -eq 0
expect "the reader gone: seconds" "$SECONDS" -lt 20
expect "the reader gone: words" "$(wc -c <"$LAB_DIR/err")" -eq 0
for format in text json; do
	status=0
	# head leaves in the middle of things
	{
		"$TCPTUNE" watch --netns "$SERVER" --interval 0.1 --count 200 --format "$format" 2>"$LAB_DIR/err"
		echo "$?" >"$LAB_DIR/status"
	} | head -c 300 >/dev/null || status=$?
	expect "$format cut off: exit" "$(<"$LAB_DIR/status")" -eq 0
	expect "$format cut off: words" "$(wc -c <"$LAB_DIR/err")" -eq 0
done
status=0
"$TCPTUNE" watch --netns "$SERVER" --interval 0.1 --count 5 >/dev/full 2>"$LAB_DIR/err" || status=$?
expect "a full disk: exit" "$status" -eq 2
grep -q "No space left" "$LAB_DIR/err" || fail "a full disk: $(<"$LAB_DIR/err")"

# --- it must be cheap itself -------------------------------------------------------------------------

TIMEFORMAT='%U %S'
read -r user system < <({ time "$TCPTUNE" watch --netns "$CLIENT" --interval 0.2 --count 20 >/dev/null; } 2>&1 |
	awk '{ print int($1 * 1000 / 20), int($2 * 1000 / 20) }')
# The kernel's part grows with the sockets of the whole machine, whatever namespace they are in: it is only told.
echo "an interval costs $user ms of CPU and $system ms in the kernel"
if [[ -z ${TCT_SANITIZED-} ]]; then
	expect "ms of CPU for an interval" "$user" -le 20
fi

# --- the screen ----------------------------------------------------------------------------------

if ! command -v python3 >/dev/null; then
	echo "SKIPPED: there is no python3, so nobody looked at the screen (the lines are as they should be)"
	exit 77
fi
python3 "$here/watch_screen.py" "$SERVER" || fail "the screen"
lab_pass
