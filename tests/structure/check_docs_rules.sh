#!/usr/bin/env bash
# docs/rules.md is what the shipped rules and docs/catalogue.yaml make of it. What writes it refuses a catalogue with a
# row too few, an id that no rule has, or a rule that no row has; that it would notice is tried on made-up ones.
set -u

checkout=${TCT_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
book=${RULES_BOOK:-$checkout/build/dev/docs/rules_book}
catalogue=$checkout/docs/catalogue.yaml
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
failed=0

complain() {
	echo "$*"
	failed=1
}

# refuses WHAT PATTERN: catalogue.yaml in the scratch folder must be refused with such a message
refuses() {
	cmp -s "$scratch/catalogue.yaml" "$catalogue" && complain "$1: the catalogue is the same: the check tries nothing"
	if "$book" "$scratch/catalogue.yaml" >/dev/null 2>"$scratch/err"; then
		complain "$1: was accepted"
	elif ! grep -qE "^$scratch/catalogue.yaml:[0-9]+:[0-9]+: .*$2" "$scratch/err"; then
		complain "$1: $(<"$scratch/err")"
	fi
}

# change SED-SCRIPT: a changed copy
change() {
	sed -E "$1" "$catalogue" >"$scratch/catalogue.yaml"
}

if ! "$book" "$catalogue" >"$scratch/rules.md" 2>"$scratch/err"; then
	complain "$(<"$scratch/err")"
	exit 1
fi
diff -u --label docs/rules.md --label "docs/rules.md, from the rules as they are" \
	"$checkout/docs/rules.md" "$scratch/rules.md" ||
	complain "docs/rules.md is not up to date; write it anew with: cmake --build --preset dev --target docs-rules"

change '/^  - row: 20$/,/^  - row: 21$/{/row: 21/!d}'
refuses "no row 20" "row 21 follows row 19"
change '/^  - row: 14a$/,/^  - row: 15$/{/row: 15/!d}'
refuses "no row 14a" "61 rows, and the catalogue has 62"
change 's/^  - row: 32a$/  - row: 32b/'
refuses "a row 32b" "the catalogue has no row 32b"
change 's/rules: \[tw-overflow\]/rules: [tw-overflows]/'
refuses "a misspelt id" "no shipped profile has a rule tw-overflows"
change 's/rules: \[tw-overflow\]/rules: [tw-overflow, tw-overflow]/'
refuses "the same id twice" "tw-overflow stands here twice"
change 's/rules: \[tw-overflow\]/why_not: nobody knows/'
refuses "a rule without a row" "no row has the rule tw-overflow"
change '/rules: \[tw-overflow\]/d'
refuses "a row with nothing" "row 21 needs rules, or why_not"
change 's/^(    rules: \[tw-overflow\])$/\1\n    why_not: nobody knows/'
refuses "a row with both" "row 21 needs rules, or why_not"
change 's/^    name: tw-overflow$/    title: tw-overflow/'
refuses "an unknown field" "unknown field title"

# Each link within the file leads to a heading.
awk '
	/^#+ / { heading = tolower($0); sub(/^#+ /, "", heading); gsub(/ /, "-", heading); there[heading] = 1 }
	{
		line = $0
		while (match(line, /\]\(#[^)]*\)/)) {
			links[substr(line, RSTART + 3, RLENGTH - 4)] = 1
			line = substr(line, RSTART + RLENGTH)
		}
	}
	END {
		for (link in links)
			if (!(link in there)) {
				print "docs/rules.md: #" link " leads nowhere"
				bad = 1
			}
		exit bad
	}
' "$checkout/docs/rules.md" || failed=1

((failed == 0)) && echo "docs/rules.md says what the rules say"
exit "$failed"
