# shellcheck shell=bash
# Has anything been written? Source it after stage.sh.

# Everything that a transaction may write: values, the folder with the drop-in, the journal, bytes and all.
everything() {
	values
	find /etc/sysctl.d /etc/modules-load.d /var/lib/tcptune -type f -exec sha256sum {} + 2>/dev/null | sort
	find /etc/sysctl.d /var/lib/tcptune 2>/dev/null | sort
}

remember() { everything >"$WORK/remembered"; }

ck_untouched() { # WHAT
	everything >"$WORK/now"
	diff -u "$WORK/remembered" "$WORK/now" >&2 || fail "$1 wrote something"
}
