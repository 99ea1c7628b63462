#!/usr/bin/env bash
# No source longer than 600 lines, nothing left open in a comment, no source or profile that the
# build does not know.
set -u

checkout=${TCT_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$checkout" || exit 1
failed=0
longest=600

# Tables of facts may be longer: a row is a fact, and splitting them would only hide one.
tables=" core/kernel_key_table.c core/counters.c core/counter_table.c "

complain() {
	echo "$*"
	failed=1
}

while IFS= read -r file; do
	lines=$(wc -l <"$file")
	if ((lines > longest)) && [[ $tables != *" $file "* ]]; then
		complain "$file: $lines lines, $longest is the most: does it hold one thought?"
	fi
done < <(find core audit tune cli docs tests -name '*.[ch]' | sort)

# The words are put together here so that this file does not find itself.
words="\\b(TO""DO|FIX""ME|X""XX|HA""CK|not imple""mented)\\b"
if grep -rnIE "$words" core audit tune cli profiles docs cmake integrations tests quickstart .ci \
	--include='*.[ch]' --include='*.sh' --include='*.py' --include='*.yaml' --include='*.cmake' \
	--include='*.scd' --include='*.md' --include=CMakeLists.txt --include=quickstart --include=run \
	--include='*.yml' --include='*.pp' --include='*.sls' --include='*.rb'; then
	complain "something is left open in the lines above"
fi

# Sources and profiles are listed one by one in the CMakeLists.txt of their room.
listed() {
	local list=$1 room=$2 pattern=$3 file
	while IFS= read -r file; do
		grep -qE "(^|[ \"(/])${file//./\\.}([ \")]|\$)" "$list" ||
			complain "$room/$file is not listed in $list"
	done < <(cd "$room" && find . -name "$pattern" | sed 's|^\./||' | sort)
}
for room in core audit tune cli tests; do
	listed "$room/CMakeLists.txt" "$room" '*.c'
done
listed profiles/CMakeLists.txt profiles '*.yaml'
# So are the tests that are scripts; the lab's are listed by name.
listed tests/CMakeLists.txt tests 'test_*.sh'
while IFS= read -r name; do
	grep -qE "^ +$name\)?\$" tests/CMakeLists.txt || complain "the lab's $name is not listed in tests/CMakeLists.txt"
done < <(find tests/lab -name '*.sh' ! -name lib.sh ! -name servers.sh ! -name table.sh -printf '%f\n' | sed 's/\.sh$//' | sort)

((failed == 0)) && echo "no file is too long, left open or forgotten"
exit "$failed"
