# shellcheck shell=bash disable=SC2034 # what is set here is used by who sources it
# Programs that tests need and the machine may not have, out of Debian's packages: source it. Nothing is installed;
# packages are fetched and unpacked into a folder below the build directory, where they stay for the next run.

# debs_unpack ROOT all|libraries PACKAGE...: the packages and what they need and the machine hasn't (all of it, or the
# libraries alone), unpacked into ROOT. Where that can't be, the status is 1 and DEBS_MISSING says why.
debs_unpack() {
	local root=$1 lock status=0
	mkdir -p "$root"
	exec {lock}>"$root.lock"
	flock "$lock"
	[[ -e $root/complete ]] || debs_unpack_anew "$@" || status=1
	exec {lock}>&-
	return "$status"
}

debs_unpack_anew() {
	local root=$1 needs=$2 log=$1.log tool deb
	shift 2
	for tool in apt-get dpkg; do
		type -P "$tool" >/dev/null && continue
		DEBS_MISSING="no $1 here, and no $tool to fetch it with"
		return 1
	done
	find "$root" -mindepth 1 -delete
	mkdir "$root/packages"
	# The machine's own lists first; they may be missing, or too old for what the archive has today.
	DEBS_APT=(-o Acquire::Retries=0 -o Acquire::http::Timeout=20 -o Debug::NoLocking=1)
	if ! debs_fetch "$root/packages" "$needs" "$@" >"$log" 2>&1; then
		mkdir -p "$root/lists/partial" "$root/cache/archives/partial"
		DEBS_APT+=(-o "Dir::State::lists=$root/lists" -o "Dir::Cache=$root/cache")
		if ! { timeout 120 apt-get "${DEBS_APT[@]}" -q update && debs_fetch "$root/packages" "$needs" "$@"; } \
			>>"$log" 2>&1; then
			DEBS_MISSING="$1 can't be fetched: $(grep -m1 '^E:' "$log" || tail -1 "$log")"
			return 1
		fi
	fi
	for deb in "$root/packages"/*.deb; do
		dpkg -x "$deb" "$root" && continue
		DEBS_MISSING="$deb can't be unpacked"
		return 1
	done
	rm -rf -- "$root/packages" "$root/lists" "$root/cache"
	: >"$root/complete"
}

# debs_fetch FOLDER all|libraries PACKAGE...: what an installation would install of these, and of the rest.
debs_fetch() {
	local folder=$1 needs=$2 needed=() name
	shift 2
	while read -r name; do
		[[ $needs == libraries && " $* " != *" $name "* && $name != lib* ]] || needed+=("$name")
	done < <(apt-get "${DEBS_APT[@]}" -s --no-install-recommends install "$@" | awk '$1 == "Inst" { print $2 }')
	((${#needed[@]})) || return 1
	(cd "$folder" && timeout 120 apt-get "${DEBS_APT[@]}" -q download "${needed[@]}")
}
