#!/usr/bin/env bash
# The README tells the truth: its commands run as written and exit as documented, and the finding that it shows is what
# tcptune prints in that very scene. In a network and mount namespace made here, with tmpfs over what apply writes.
# TCPTUNE: the program; TCPLAB: the lab's actor; TCT_SOURCE_DIR: the checkout.
# shellcheck disable=SC2016,SC2153 # backquotes are the README's; SCRATCH comes from the outer run
set -uo pipefail
: "${TCPTUNE:?}" "${TCPLAB:?}" "${TCT_SOURCE_DIR:?}"

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}

if [[ ${1-} != inside ]]; then
	# shellcheck source-path=SCRIPTDIR source=../namespaces.sh
	. "$(dirname "$0")/../namespaces.sh"
	propagation=$(own_propagation) || {
		echo "SKIPPED: namespaces of our own are refused here"
		exit 77
	}
	scratch=$(mktemp -d) || exit 1
	trap 'rm -rf "$scratch"' EXIT
	SCRATCH=$scratch unshare -n -m --propagation "$propagation" "$BASH" "$0" inside
	exit
fi

readme=$TCT_SOURCE_DIR/README.md
for dir in /etc/sysctl.d /var/lib /run; do
	mount -t tmpfs tmpfs "$dir" || fail "mount $dir"
done
: >"$SCRATCH/empty"
if [[ -e /etc/sysctl.conf ]]; then
	mount --bind "$SCRATCH/empty" /etc/sysctl.conf || fail "mount sysctl.conf"
fi
ip link set lo up || fail "lo"
mkdir "$SCRATCH/bin"
ln -s "$TCPTUNE" "$SCRATCH/bin/tcptune"
PATH=$SCRATCH/bin:$PATH

# --- the commands, in the order of the README -----------------------------------------------------------------------
cd "$SCRATCH" || fail "cd" # for what they write
commands=0
while IFS= read -r line; do
	command=${line%%#*}
	wanted=0
	[[ $line == *"; exit 1 if"* ]] && wanted=1 # --dry-run with something to change
	read -ra words <<<"$command"
	"${words[@]}" >"$SCRATCH/out" 2>"$SCRATCH/err"
	code=$?
	[[ $code == "$wanted" ]] || fail "$command: exit $code, not $wanted: $(cat "$SCRATCH/err")"
	[[ -s $SCRATCH/out ]] || fail "$command: says nothing"
	commands=$((commands + 1))
done < <(sed -n '/^## Use/,/^## Profiles/p' "$readme" | grep '^tcptune ')
((commands >= 9)) || fail "only $commands commands found in the README"
[[ $(</proc/sys/net/core/somaxconn) == 4096 ]] || fail "rollback didn't put somaxconn back"
while IFS= read -r profile; do
	tcptune profile show "$profile" >/dev/null || fail "the README names profile $profile"
done < <(sed -n 's/^| `\([a-z]*\)` |.*/\1/p' "$readme")

# --- the finding that it shows --------------------------------------------------------------------------------------
ln -s "$TCPLAB" "$SCRATCH/shop"
"$SCRATCH/shop" listen --address 127.0.0.1 --port 8080 --backlog 128 --no-accept --for 20 >"$SCRATCH/listen" &
listener=$!
for ((i = 0; i < 100; i++)); do
	grep -q ready "$SCRATCH/listen" && break
	sleep 0.05
done
"$TCPLAB" connect --to 127.0.0.1 --port 8080 --count 140 --nonblocking --hold --for 15 >"$SCRATCH/connect" &
clients=$!
for ((i = 0; i < 100; i++)); do
	[[ $(ss -Hltn 'sport = :8080' | awk '{print $2}') == 129 ]] && break
	sleep 0.05
done
tcptune audit --interval 0.2 >"$SCRATCH/out" 2>&1 || fail "audit: $(cat "$SCRATCH/out")"
kill "$listener" "$clients"
wait
sed -n '/^CRITICAL /,/^```/{/^```/d;p}' "$readme" >"$SCRATCH/shown"
sed -n '/^CRITICAL /,/^$/{/^$/d;p}' "$SCRATCH/out" >"$SCRATCH/real"
[[ -s $SCRATCH/shown ]] || fail "the README shows no finding"
# Where lines are broken depends on the length of the pid.
as_one_line() {
	sed 's/shop\[[0-9]*\]/shop[PID]/' "$1" | tr -s ' \n' '\n'
}
diff -u <(as_one_line "$SCRATCH/shown") <(as_one_line "$SCRATCH/real") || fail "$(cat "$SCRATCH/real"): the README shows another text than tcptune prints"
echo "README: $commands commands run, the finding shown is the finding printed"
