#!/usr/bin/env bash
# Golden tests: whole commands over fixture trees. A case is a folder below cases/ with
#   cmd       shell lines in which `tcptune ARGUMENTS` runs the binary, one after the other, in a
#             scratch folder that holds a copy of the fixture as root/ and of the case's files
#   fixture   the name of a folder below fixtures/ (optional)
#   files/    files of the case, copied over the scratch folder (optional)
#   expected  the transcript: each command, its standard output, its standard error ("2>"), its exit
#             code, and at the end what changed below root/, as a diff
# A command that is suggested ("next:") must take the options that are suggested with it.
# TCT_ONLY=PATTERN before a command keeps only those lines of its standard output, chosen after times and
# durations are normalised: "in 122 us" isn't a 22. TCT_FIXTURES is the folder fixtures/, for cases that make their trees themselves (fixtures/kernels/make.sh).
# Only times, durations, users, checksums of profiles and line numbers of built-in ones are normalised.
#
#   run.sh [--update] [CASE...]
# --update accepts what comes out: read the difference before you commit it.
# TCT_GOLDEN_JSON=DIR keeps every JSON document that is printed in DIR.
set -u

here=$(cd "$(dirname "$0")" && pwd)
binary=${TCPTUNE:-$here/../../build/dev/tcptune}
update=false
if [[ ${1-} == --update ]]; then
	update=true
	shift
fi
if [[ ! -x $binary ]]; then
	echo "there is no $binary; set TCPTUNE"
	exit 1
fi
binary=$(realpath "$binary")
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tct-golden.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
export TCT_SCRATCH=$scratch/tmp

export LC_ALL=C.UTF-8 COLUMNS=100 TERM=dumb NO_COLOR=1 TZ=UTC
unset SUDO_USER
umask 022

# What differs between two right runs.
normalise() {
	sed -E \
		-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z/<TIME>/g' \
		-e 's/("(elapsed_seconds|uptime_seconds)": )[0-9.e-]+/\1<SECONDS>/' \
		-e 's/(counted (one by one|by the kernel) in )[0-9.]+ (us|ms|s)/\1<DURATION>/' \
		-e 's/("(profile_)?sha256": )"[0-9a-f]{64}"/\1"<SHA256>"/' \
		-e 's/^(  profile +)[0-9a-f]{64}$/\1<SHA256>/' \
		-e 's/(built-in profile [a-z]+):[0-9]+/\1:<LINE>/g' \
		-e 's/("version": )"[0-9.]+"/\1"<VERSION>"/' \
		-e 's/^(  version +)[0-9.]+$/\1<VERSION>/' \
		-e "s/(\"user\": )\"$(id -un)\"/\\1\"<USER>\"/" \
		-e "s/^(  user +)$(id -un)\$/\\1<USER>/" \
		-e "s/^( +[0-9]+)  <TIME>  $(id -un) +/\\1  <TIME>  <USER>  /" \
		-e 's/(ID  TIME) +USER +WHAT/\1  USER  WHAT/' \
		-e 's/(: snapshot of [^ ]+, )[0-9.]+ KiB/\1<SIZE>/' \
		-e "s#${TCT_SCRATCH%/tmp}#<SCRATCH>#g"
}
export -f normalise

# Is what stands in FILE behind "next:" a command that exists, with options that it has?
suggestion_runs() {
	local words
	words=$(sed -n 's/^next: tcptune //p' "$1")
	[[ -z $words ]] || eval "\"$TCT_BINARY\" $words --help" >/dev/null 2>&1
}
export -f suggestion_runs

# Runs one command of a case; the transcript goes to the file that the case has open as 3.
# Exported to the case's shell.
tcptune() {
	local out err code word line="\$ tcptune"
	out=$(mktemp "$TCT_SCRATCH/out.XXXXXX")
	err=$(mktemp "$TCT_SCRATCH/err.XXXXXX")
	for word in "$@"; do
		if [[ $word =~ ^[A-Za-z0-9_./:=,+@%-]+$ ]]; then line+=" $word"; else line+=" '$word'"; fi
	done
	"$TCT_BINARY" "$@" >"$out" 2>"$err" </dev/null
	code=$?
	{
		printf '%s\n' "${line//[[:cntrl:]]/?}"
		if [[ -n ${TCT_ONLY-} ]]; then normalise <"$out" | grep -aE "$TCT_ONLY"; else cat "$out"; fi
		sed 's/^/2> /' "$err"
		printf '=> %d\n\n' "$code"
		suggestion_runs "$out" || printf 'the suggested command is refused\n\n'
	} >&3
	if [[ -n ${TCT_GOLDEN_JSON-} && $(head -c 1 "$out") == '{' ]]; then
		cp "$out" "$(mktemp "$TCT_GOLDEN_JSON/$TCT_CASE.XXXXXX.json")"
	fi
	rm -f "$out" "$err"
	return "$code"
}
export -f tcptune

# What changed below root/; the journal's records hold times and checksums, so only its name.
changes() {
	local root=$1 before=$2
	[[ -d $root ]] || return 0
	(cd "$(dirname "$root")" && diff -urN --exclude=journal --label before --label after "$before" root) |
		grep -av '^diff -urN\|^Only in' | LC_ALL=C sed -E $'s/[^[:print:]\t]/?/g'
	(cd "$root" && find . -type f | sort) >"$scratch/names.after"
	(cd "$before" && find . -type f | sort) >"$scratch/names.before"
	diff "$scratch/names.before" "$scratch/names.after" | sed -n 's/^> /made: /p; s/^< /gone: /p'
}

run_case() {
	local name=$1 case=$here/cases/$1 work=$scratch/$1 fixture
	mkdir -p "$work" "$TCT_SCRATCH"
	if [[ -f $case/fixture ]]; then
		fixture=$here/fixtures/$(<"$case/fixture")
		if [[ ! -d $fixture ]]; then
			echo "$name: there is no $fixture"
			return 1
		fi
		cp -r "$fixture" "$work/root"
	fi
	[[ -d $case/files ]] && cp -r "$case/files/." "$work/"
	[[ -d $work/root ]] && cp -r "$work/root" "$scratch/$name.before"
	(
		cd "$work" || exit 1
		TCT_FIXTURES=$here/fixtures TCT_BINARY=$binary TCT_CASE=$name bash "$case/cmd" 3>"$scratch/$name.raw"
	) >"$scratch/$name.noise" 2>&1
	if [[ -s $scratch/$name.noise ]]; then
		sed 's/^/noise: /' "$scratch/$name.noise" >>"$scratch/$name.raw"
	fi
	{
		cat "$scratch/$name.raw"
		changes "$work/root" "$scratch/$name.before"
	} | normalise >"$scratch/$name.got"
	if $update; then
		cp "$scratch/$name.got" "$case/expected"
		return 0
	fi
	if ! diff -u --label "$name: expected" --label "$name: got" "$case/expected" "$scratch/$name.got"; then
		return 1
	fi
}

if (($# > 0)); then
	cases=("$@")
else
	mapfile -t cases < <(cd "$here/cases" && ls)
fi
failed=0
for name in "${cases[@]}"; do
	if [[ ! -f $here/cases/$name/cmd ]]; then
		echo "there is no case $name"
		failed=$((failed + 1))
		continue
	fi
	run_case "$name" || {
		echo "FAILED: $name"
		failed=$((failed + 1))
	}
done
echo "${#cases[@]} cases, $failed failed"
((failed == 0))
