#!/usr/bin/env bash
# check tells live drift, boot drift and shadowing apart, names the line to edit, and says what to type.

# shellcheck source-path=SCRIPTDIR source=../stage.sh
. "$(dirname "$0")/../stage.sh"

cat >"$WORK/p.yaml" <<'YAML'
schema: tcptune.profile.v1
name: p
summary: A bound of each kind
settings:
  net.core.somaxconn: { at_least: 16384, because: the cap on listen() }
  net.ipv4.tcp_fin_timeout: { at_most: 30s, because: orphans }
  net.ipv4.tcp_keepalive_time: { set: 600s, because: found sooner }
  net.ipv4.tcp_rmem: { at_least: [keep, keep, 67108864], because: one field }
YAML
P=(--profile "$WORK/p.yaml" --persist)

# Each "KEY KINDS FILE:LINE" that differs; the exit code must be as given, and as that of a dry run.
drifts() { # EXIT WHAT < the lines
	local planned=0
	cat >"$WORK/expected"
	run "$1" check --json
	jq -r '.settings[] | select(.drift != []) | "\(.key) \(.drift | join(",")) \(.file // "-"):\(.line // "-")"' \
		"$WORK/out" >"$WORK/got"
	diff -u "$WORK/expected" "$WORK/got" >&2 || fail "$2: other drifts"
	cp "$WORK/out" "$WORK/check"
	"$TCPTUNE" apply "${P[@]}" --dry-run >"$WORK/out" 2>"$WORK/err" || planned=$?
	[[ $planned == 3 || $planned == "$1" ]] || fail "$2: check exits $1, apply --dry-run $planned"
	cp "$WORK/check" "$WORK/out"
}

text() { # PART...: must be in what check says
	local part
	"$TCPTUNE" check >"$WORK/out" 2>"$WORK/err"
	for part; do
		tr -s ' \n' ' ' <"$WORK/out" | grep -qF -- "$part" || fail "it doesn't say: $part"
	done
}

# Before anything of ours only live values are looked at here: the files are another namespace's.
run 1 check --profile "$WORK/p.yaml" --json
json '.boot_looked == false and ([.settings[] | .drift] | unique == [["live"]])'
run 0 apply --profile "$WORK/p.yaml"
run 0 check --json
json '.boot_looked == false and .live_looked'
run 0 rollback

run 0 apply "${P[@]}"
drifts 0 "just applied" </dev/null
json '.conforms and .boot_looked and .drop_in == null'
json '[.settings[].next_boot | .systemd.value == .procps.value] | all'
cp "$DROP_IN" "$WORK/drop-in"

echo 77 >/proc/sys/net/ipv4/tcp_fin_timeout
drifts 1 "by hand" <<<"net.ipv4.tcp_fin_timeout live $DROP_IN:10"
text "1 of 4 keys is not as" "1 with live drift" "tcp_fin_timeout live 30 77 30 ($DROP_IN:10)" "next: tcptune apply --profile"
echo 30 >/proc/sys/net/ipv4/tcp_fin_timeout

sed -i '/tcp_keepalive_time/d' "$DROP_IN"
drifts 1 "a line is gone" <<<'net.ipv4.tcp_keepalive_time boot -:-'
json '.drop_in | test("isn.t what tcptune wrote")'
json 'any(.settings[]; .reason == "boot drift: our line is gone")'
text "1 with boot drift" "tcp_keepalive_time boot 600 600 no file sets it"
sed -i 's/somaxconn = .*/somaxconn = 5/' "$DROP_IN"
drifts 1 "a line has another value" <<LINES
net.core.somaxconn boot $DROP_IN:7
net.ipv4.tcp_keepalive_time boot -:-
LINES
rm "$DROP_IN"
drifts 1 "the file is gone" <<LINES
net.core.somaxconn boot -:-
net.ipv4.tcp_fin_timeout boot -:-
net.ipv4.tcp_keepalive_time boot -:-
net.ipv4.tcp_rmem boot -:-
LINES
run 1 check
suggested=$(sed -n 's/^next: tcptune //p' "$WORK/out")
[[ $suggested == *" --persist --dry-run" ]] || fail "another namespace's apply has to be asked for the drop-in: $suggested"
# shellcheck disable=SC2086 # its words
run 1 $suggested
cp "$WORK/drop-in" "$DROP_IN"
drifts 0 "and back" </dev/null
echo 'net.ipv4.tcp_sack = 1' >>"$DROP_IN"
drifts 1 "a line that isn't ours" </dev/null
text "isn't what tcptune wrote" "there is more to put right"
ln -sf "$WORK/drop-in" "$DROP_IN"
run 1 check --json
json '.conforms == false and (.drop_in | length > 0)'
rm "$DROP_IN"
cp "$WORK/drop-in" "$DROP_IN"

printf '# a vendor\nnet.core.somaxconn = 128\n' >/etc/sysctl.d/zz-vendor.conf
drifts 1 "a later file" <<<'net.core.somaxconn shadowed /etc/sysctl.d/zz-vendor.conf:2'
json 'any(.settings[]; .key == "net.core.somaxconn" and .next_boot.procps == { value: 128, file: "/etc/sysctl.d/zz-vendor.conf", line: 2 })'
text "1 shadowed by another file" "edit: /etc/sysctl.d/zz-vendor.conf:2, for net.core.somaxconn" "next: tcptune check"
grep -q 'tcptune apply' "$WORK/out" && fail "apply wouldn't help"
sed -i '/somaxconn/d' "$DROP_IN"
drifts 1 "no line, and it wouldn't help" <<<'net.core.somaxconn boot,shadowed /etc/sysctl.d/zz-vendor.conf:2'
cp "$WORK/drop-in" "$DROP_IN"
echo 99 >/proc/sys/net/core/somaxconn
drifts 1 "a later file, and by hand" <<<'net.core.somaxconn live,shadowed /etc/sysctl.d/zz-vendor.conf:2'
text "edit: /etc/sysctl.d/zz-vendor.conf:2" "next: tcptune apply --profile"
echo 16384 >/proc/sys/net/core/somaxconn
echo '-net.core.somaxconn' >/etc/sysctl.d/zz-vendor.conf
drifts 1 "taken away" <<<'net.core.somaxconn shadowed /etc/sysctl.d/zz-vendor.conf:1'
rm /etc/sysctl.d/zz-vendor.conf

# Under the other applier it is a warning of apply's, no difference.
echo 'net.core.somaxconn = 128' >/etc/sysctl.conf
drifts 0 "sysctl.conf where systemd boots" </dev/null
run 1 check --boot procps --json
json '[.settings[] | select(.drift != []) | [.key, .drift[], .file, .line]] == [["net.core.somaxconn", "shadowed", "/etc/sysctl.conf", 1]]'
run 1 check --boot both
grep -qx 'next: tcptune check --boot both' "$WORK/out" || fail "the next check is to ask the same"
ln -s ../sysctl.conf /etc/sysctl.d/99-sysctl.conf # before ours
drifts 0 "and through a link that sorts before ours" </dev/null
rm /etc/sysctl.d/99-sysctl.conf
: >/etc/sysctl.conf

# Where the profile asks nothing of us: a site's file suffices, until it doesn't.
echo 'net.ipv4.tcp_fin_timeout = 20' >/etc/sysctl.d/10-site.conf
drifts 1 "our line is in the way of a site's" <<<"net.ipv4.tcp_fin_timeout boot $DROP_IN:10"
json 'any(.settings[]; .reason == "boot drift: our drop-in has a line that isn'"'"'t asked for")'
run 0 apply "${P[@]}"
grep -q tcp_fin_timeout "$DROP_IN" && fail "the line should be gone"
drifts 0 "a site's file suffices" </dev/null
json 'any(.settings[]; .key == "net.ipv4.tcp_fin_timeout" and .boot == 20 and .wanted_boot == null)'
echo 'net.ipv4.tcp_fin_timeout = 50' >/etc/sysctl.d/10-site.conf
drifts 1 "a site's file doesn't suffice" <<<'net.ipv4.tcp_fin_timeout boot /etc/sysctl.d/10-site.conf:1'
mv /etc/sysctl.d/10-site.conf /etc/sysctl.d/zz-site.conf
drifts 1 "nor one that would override ours" <<<'net.ipv4.tcp_fin_timeout boot,shadowed /etc/sysctl.d/zz-site.conf:1'
rm /etc/sysctl.d/zz-site.conf
run 0 apply "${P[@]}"
drifts 0 "applied again" </dev/null

# What an edited profile no longer asks for is ours still: apply gives it back.
sed -i '/fin_timeout/d' "$WORK/p.yaml"
drifts 1 "no longer asked for" <<<"net.ipv4.tcp_fin_timeout live,boot $DROP_IN:10"
json 'any(.settings[]; .wanted == 60 and (.reason | startswith("no longer asked for")))'
run 0 apply "${P[@]}"
[[ $(</proc/sys/net/ipv4/tcp_fin_timeout) == 60 ]] || fail "it isn't back"
drifts 0 "given back" </dev/null

# The order of our lines is part of it, where the kernel looks at it.
cat >"$WORK/p.yaml" <<'YAML'
schema: tcptune.profile.v1
name: p
summary: Two keys that the kernel checks against each other
settings:
  net.ipv4.ip_local_port_range: { set: [10240, 60999], because: more }
  net.ipv4.ip_unprivileged_port_start: { set: 10240, because: fewer }
YAML
printf 'net.ipv4.ip_local_port_range = 40000 60999\nnet.ipv4.ip_unprivileged_port_start = 40000\n' \
	>/etc/sysctl.d/10-site.conf
rm /run/systemd/system -d
run 0 apply "${P[@]}"
drifts 0 "an order that the kernel takes" </dev/null
{
	grep 'ip_local_port_range =' "$DROP_IN"
	grep 'ip_unprivileged_port_start =' "$DROP_IN"
} >"$WORK/turned"
cp "$WORK/turned" "$DROP_IN"
drifts 1 "turned round" <<<"net.ipv4.ip_local_port_range boot $DROP_IN:1"
run 0 apply "${P[@]}"
drifts 0 "put right" </dev/null

# Another namespace: what was applied here is not its business.
unshare -n "$TCPTUNE" check >"$WORK/out" 2>"$WORK/err" && fail "check in a namespace where nothing was applied"
grep -q "nothing is applied here" "$WORK/err" || fail "it should say that nothing is applied"
