. "$(dirname "$0")/../stage.sh"
t() { local s=$EPOCHREALTIME; local i; for i in {1..40}; do "$@" >/dev/null 2>&1; done; local e=$EPOCHREALTIME; echo "$(( (${e/./} - ${s/./}) / 40 )) us: $*"; }
t /bin/true
t strace -f --seccomp-bpf -o /dev/null -e trace=fsync /bin/true
t strace -f -o /dev/null -e trace=fsync /bin/true
t "$TCPTUNE" rollback
t strace -f --seccomp-bpf -o /dev/null -e trace=fsync "$TCPTUNE" rollback
t strace -f -o /dev/null -e trace=fsync "$TCPTUNE" rollback
t "$TCPTUNE" apply "${FIRST[@]}"
t strace -f --seccomp-bpf -o /dev/null -e trace=fsync "$TCPTUNE" apply "${FIRST[@]}"
t strace -f --seccomp-bpf -o /dev/null -e trace=openat "$TCPTUNE" apply "${FIRST[@]}"
t strace -f -o /dev/null -e trace=fsync "$TCPTUNE" apply "${FIRST[@]}"
t "$TCPTUNE" history
"$TCPTUNE" rollback > /dev/null
rm -rf /var/lib/tcptune
for w in 1 2 3 4 5 6; do
strace -f --seccomp-bpf -o $WORK/t -e trace=write -e inject=write:signal=KILL:when=$w "$TCPTUNE" apply "${FIRST[@]}"; wc -c /var/lib/tcptune/journal; cat $WORK/t; values | md5sum
"$TCPTUNE" rollback >/dev/null; rm -rf /var/lib/tcptune
done
