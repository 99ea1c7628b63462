#!/usr/bin/env bash
# Every header compiles alone, and twice in a row.
set -u

checkout=${TCT_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$checkout" || exit 1
read -ra compiler <<<"${CC:-cc}"
flags=$(pkg-config --cflags libmnl yaml-0.1 jansson smartcols nettle) || exit 1
read -ra flags <<<"$flags"
failed=0
count=0

while IFS= read -r header; do
	count=$((count + 1))
	if ! printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
		"${compiler[@]}" -std=gnu17 -D_GNU_SOURCE -I. "${flags[@]}" -Wall -Wextra -Werror \
			-fsyntax-only -x c -; then
		echo "$header does not compile alone"
		failed=1
	fi
done < <(find core audit tune cli -name '*.h' | sort)

if ((count == 0)); then
	echo "no headers found in $checkout"
	exit 1
fi
((failed == 0)) && echo "$count headers compile alone"
exit "$failed"
