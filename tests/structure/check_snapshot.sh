#!/usr/bin/env bash
# No member of the observation is forgotten by snapshots: each has its row in the tables of
# snapshot_members.c, or is handled by hand, and the test of snapshots fills or compares it.
set -u

checkout=${TCT_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$checkout" || exit 1
failed=0
count=0
tables=audit/observe/snapshot_members.c
unit=(tests/unit/test_snapshot.c tests/unit/full_observation.c)

shopt -s extglob

complain() {
	echo "$*"
	failed=1
}

# "struct member" for every member of every struct in the headers, comments aside.
members() {
	awk '
		{ all = all $0 "\n" }
		END {
			while ((from = index(all, "/*")) > 0) {
				rest = substr(all, from + 2)
				all = substr(all, 1, from - 1) substr(rest, index(rest, "*/") + 2)
			}
			count = split(all, lines, "\n")
			for (i = 1; i <= count; i++) {
				if (lines[i] ~ /^struct [a-z_]+ \{/) {
					name = lines[i]
					gsub(/^struct | \{.*/, "", name)
				} else if (lines[i] ~ /^\}/) {
					name = ""
				} else if (name != "") {
					member = member lines[i]
					if (member !~ /;/)
						continue
					gsub(/\[[^]]*\]|[ \t]*;.*/, "", member)
					if (match(member, /[A-Za-z_0-9]+$/))
						print name, substr(member, RSTART)
					member = ""
				}
			}
		}' "$@"
}

# Not in a table, with the file that handles it: pointers, and what follows from other members.
by_hand() {
	case "$1 $2" in
	"tct_host kernel_version" | "tct_host source") echo snapshot_load.c ;;
	"tct_sysctl value") echo snapshot_load.c ;;
	"tct_observation host" | "tct_observation sysctls" | "tct_observation files") echo snapshot_load.c ;;
	"tct_observation boot_values" | "tct_observation counters") echo snapshot_load.c ;;
	"tct_observation "@(owners|peers|interfaces|listeners|gaps)?(_count|_capacity)) echo snapshot_load.c ;;
	"tct_outgoing destinations"?(_count|_capacity)) echo snapshot_load.c ;;
	esac
}

while read -r struct member; do
	count=$((count + 1))
	base=${member%_count}
	base=${base%_capacity}
	hand=$(by_hand "$struct" "$member")
	if [[ -n $hand ]]; then
		grep -qE "(\.|->|, )$base\b" "audit/observe/$hand" ||
			complain "$struct.$member: audit/observe/$hand does not handle it"
	else
		grep -qE "\($struct, $member\b" "$tables" ||
			complain "$struct.$member has no row in $tables: snapshots would lose it"
	fi
	grep -qE "(\.|->|, )$base\b" "${unit[@]}" ||
		complain "$struct.$member is not tried by ${unit[*]}"
done < <(members audit/observe/observation.h audit/observe/netns.h | grep -v '^tct_observe_options ')

# What is known of a line of a sysctl file comes back too, whether it is saved or follows.
while read -r struct member; do
	count=$((count + 1))
	[[ $member == *_capacity || $member == index ]] && continue
	grep -qE -- "->$member\b|\.$member\b" "${unit[@]}" || complain "$struct.$member is not tried by ${unit[*]}"
done < <(members audit/observe/sysctl_files.h | grep -E '^tct_(file_line|file_fault|sysctl_files) ')

if ((count < 100)); then
	complain "only $count members found: are the headers read right?"
fi
((failed == 0)) && echo "$count members are saved, loaded and tried"
exit "$failed"
