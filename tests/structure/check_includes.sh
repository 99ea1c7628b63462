#!/usr/bin/env bash
# Refuses an #include against the direction core <- audit <- tune <- cli, and, inside audit,
# observe <- rules <- judge. Includes are written from the root of the checkout ("core/err.h").
# First it proves on made-up trees that it would notice.
set -u

checkout=${TCT_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}

# check TREE: prints file:line: what is wrong; 0 if nothing is.
check() {
	(
		cd "$1" || exit 2
		files=()
		while IFS= read -r -d '' file; do
			files+=("$file")
		done < <(find core audit tune cli -type f \( -name '*.c' -o -name '*.h' \) -print0 2>/dev/null)
		if ((${#files[@]} == 0)); then
			echo "no C files in $1"
			exit 2
		fi
		awk '
		function rank(path) {
			if (path ~ /^core\//) return 1
			if (path ~ /^audit\/observe\//) return 2
			if (path ~ /^audit\/rules\//) return 3
			if (path ~ /^audit\//) return 4
			if (path ~ /^tune\//) return 5
			if (path ~ /^cli\//) return 6
			return 0
		}
		function complain(text) {
			printf "%s:%d: %s\n", FILENAME, FNR, text
			bad = 1
		}
		{
			line = $0
			gsub(/\/\*[^*]*\*\//, " ", line)
			if (line !~ /^[ \t]*(#|%:|\?\?=)[ \t]*(include|include_next|import)([^a-z_]|$)/)
				next
			sub(/^[^a-z]*(include_next|include|import)[ \t]*/, "", line)
			if (line ~ /^</) {
				path = substr(line, 2)
				sub(/>.*/, "", path)
				if (rank(path) == 0 && path !~ /(^|\/)\.\.?\//)
					next # a system header
			} else if (line ~ /^"/) {
				path = substr(line, 2)
				sub(/".*/, "", path)
			} else {
				complain("an include must name its file: " line)
				next
			}
			if (path ~ /(^|\/)\.\.?\//)
				complain("relative include \"" path "\": write it from the root of the checkout")
			else if (rank(path) == 0)
				complain("\"" path "\" is in no folder that may be included: write it from the root of the checkout")
			else if (rank(path) > rank(FILENAME))
				complain("\"" path "\" is against the direction core <- audit (observe <- rules <- judge) <- tune <- cli")
		}
		END { exit bad }
		' "${files[@]}"
	)
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
failed=0

# prove VERDICT FILE INCLUDE-LINE: a tree with that one line must be accepted or refused.
prove() {
	local tree=$scratch/tree output status
	rm -rf "$tree"
	mkdir -p "$tree"/core "$tree"/audit/{observe,rules,judge} "$tree"/tune "$tree"/cli
	printf '/* made up */\n%s\nint x;\n' "$3" >"$tree/$2"
	output=$(check "$tree")
	status=$?
	case $1:$status in
	accept:0) ;;
	refuse:1) [[ $output == "$2:2: "* ]] || {
		echo "the check refuses $2 with $3, but says: $output"
		failed=1
	} ;;
	*)
		echo "the check should $1 $2 with $3, but ended with $status: $output"
		failed=1
		;;
	esac
}

prove accept cli/a.c '#include "tune/plan.h"'
prove accept cli/a.c '#include "core/err.h"'
prove accept tune/a.c '#include "audit/judge/report.h"'
prove accept audit/judge/a.h '#include "audit/rules/expr.h"'
prove accept audit/rules/a.c '#include "audit/observe/netns.h"'
prove accept core/a.c '#include <stdio.h>'
prove accept core/a.c '#include <linux/inet_diag.h>'
prove accept core/a.c '/* #include "cli/args.h" */'
prove refuse core/a.c '#include "audit/observe/netns.h"'
prove refuse core/a.h '#include "cli/args.h"'
prove refuse audit/observe/a.c '#include "audit/rules/expr.h"'
prove refuse audit/observe/a.c '#include "audit/judge/report.h"'
prove refuse audit/rules/a.h '#include "audit/judge/report.h"'
prove refuse audit/judge/a.c '#include "tune/plan.h"'
prove refuse tune/a.c '#include "cli/args.h"'
prove refuse tune/a.c '#include <cli/args.h>'
prove refuse tune/a.c '#  include	"cli/args.h"'
prove refuse tune/a.c '#include/**/"cli/args.h"'
prove refuse tune/a.c '#include "../cli/args.h"'
prove refuse tune/a.c '#include <../cli/args.h>'
prove refuse tune/a.c '#include "core/../cli/args.h"'
prove refuse tune/a.c '#include "./plan.h"'
prove refuse tune/a.c '#include "plan.h"'
prove refuse tune/a.c '#include "tests/lab/actor.h"'
prove refuse tune/a.c '#include HEADER'

check "$checkout" || failed=1
((failed == 0)) && echo "all includes follow the direction"
exit "$failed"
