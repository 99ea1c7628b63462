#include "tests/fault/faults.h"

#include <stddef.h>
#include <string.h>

#include "core/mem.h"

/* An error that the kernel can't give says nothing about the program, and the C library may take it
 * for a result. */
static const struct fault_row rows[] = {
	/* What writes. */
	{ "write", { "EIO", "ENOSPC", "EACCES", "EINTR" }, true, NULL },
	{ "fsync", { "EIO", "ENOSPC", "EINTR" }, true, "the descriptor is open: no EACCES" },
	{ "fdatasync", { "EIO", "ENOSPC", "EINTR" }, true, "the descriptor is open: no EACCES" },
	{ "ftruncate", { "EIO", "ENOSPC", "EACCES", "EINTR" }, true, NULL },
	{ "renameat", { "EIO", "ENOSPC", "EACCES", "EINTR" }, true, NULL },
	{ "renameat2", { "EIO", "ENOSPC", "EACCES", "EINTR" }, true, NULL },
	{ "rename", { "EIO", "ENOSPC", "EACCES", "EINTR" }, true, NULL },
	{ "linkat", { "EIO", "ENOSPC", "EACCES", "EINTR", "EPERM" }, true, NULL },
	{ "unlinkat", { "EIO", "ENOSPC", "EACCES", "EINTR", "EROFS" }, true, NULL },
	{ "mkdirat", { "EIO", "ENOSPC", "EACCES", "EINTR" }, true, NULL },
	{ "fchmod", { "EIO", "ENOSPC", "EACCES", "EINTR", "EPERM" }, true, NULL },
	{ "fchown", { "EIO", "ENOSPC", "EACCES", "EINTR", "EPERM" }, true, NULL },
	{ "fsetxattr", { "EIO", "ENOSPC", "EACCES", "EINTR", "EPERM" }, true, NULL },
	{ "sendto", { "EACCES", "EINTR" }, false, "netlink has no device and no room on a disk" },
	/* What looks. */
	{ "openat", { "EIO", "ENOSPC", "EACCES", "EINTR", "EMFILE" }, false, NULL },
	{ "close", { "EIO", "ENOSPC", "EINTR" }, false, "close() asks for no permission" },
	{ "read", { "EIO", "EACCES", "EINTR" }, false, "reading needs no room" },
	{ "pread64", { "EIO", "EACCES", "EINTR" }, false, "reading needs no room" },
	{ "newfstatat", { "EIO", "EACCES", "EINTR" }, false, "looking needs no room" },
	{ "fstatfs", { "EIO", "EACCES", "EINTR" }, false, "looking needs no room" },
	{ "statfs", { "EIO", "EACCES", "EINTR" }, false, "looking needs no room" },
	{ "readlink", { "EIO", "EACCES", "EINTR" }, false, "looking needs no room" },
	{ "readlinkat", { "EIO", "EACCES", "EINTR" }, false, "looking needs no room" },
	{ "getdents64", { "EIO", "EACCES", "EINTR" }, false, "looking needs no room" },
	{ "flistxattr", { "EIO", "EACCES", "EINTR" }, false, "looking needs no room" },
	{ "fgetxattr", { "EIO", "EACCES", "EINTR" }, false, "looking needs no room" },
	{ "lseek", { "EIO" }, false, "it only moves a number; EIO stands for a strange file" },
	{ "flock",
	  { "EIO", "EACCES", "EINTR" },
	  false,
	  "ENOSPC is ENOLCK here, which is one error as another" },
	{ "ioctl", { "EIO", "EACCES", "EINTR" }, false, "asking a terminal needs no room" },
	{ "fcntl", { "EIO", "EACCES", "EINTR" }, false, "asking for flags needs no room" },
	{ "socket", { "EACCES", "EIO" }, false, "it neither waits nor needs room" },
	{ "bind", { "EACCES", "EIO" }, false, "it neither waits nor needs room" },
	{ "connect", { "EACCES", "EIO", "EINTR" }, false, "it needs no room" },
	{ "getsockname", { "EIO" }, false, "it asks for nothing" },
	{ "setsockopt", { "EACCES", "EIO" }, false, "it neither waits nor needs room" },
	{ "recvfrom", { "EIO", "EACCES", "EINTR" }, false, "reading needs no room" },
	{ "recvmsg", { "EIO", "EACCES", "EINTR" }, false, "reading needs no room" },
	{ "poll", { "EIO", "EINTR" }, false, "waiting asks for nothing" },
	{ "ppoll", { "EIO", "EINTR" }, false, "waiting asks for nothing" },
	/* Memory: there is only one error. The kernel's brk() gives no error but the old end, 0 is
	   "not moved". */
	{ "brk", { "=0" }, false, "only memory can be short" },
	{ "mmap", { "ENOMEM" }, false, "only memory can be short" },
	{ "mremap", { "ENOMEM" }, false, "only memory can be short" },
	{ "getrandom", { "EINTR" }, false, "there is neither device nor room nor permission" },
	{ "pipe2", { "EMFILE" }, false, "it needs nothing but descriptors" },
	{ "clone", { "EAGAIN" }, false, "it needs nothing but processes" },
	{ "clone3", { "EAGAIN" }, false, "it needs nothing but processes" },
	{ "access", { "EIO", "EACCES" }, false, "looking needs no room" },
	{ "wait4", { "EINTR" }, false, "there is neither device nor room nor permission" },
	/* What can't fail: only killed. */
	{ "munmap", { NULL }, false, "what was mapped can be unmapped" },
	{ "mprotect", { NULL }, false, "what was mapped can be protected" },
	{ "madvise", { NULL }, false, "advice is free" },
	{ "uname", { NULL }, false, "it fails for a wrong pointer only" },
	{ "getuid", { NULL }, false, "it can't fail" },
	{ "geteuid", { NULL }, false, "it can't fail" },
	{ "getpid", { NULL }, false, "it can't fail" },
	{ "getppid", { NULL }, false, "it can't fail" },
	{ "gettid", { NULL }, false, "it can't fail" },
	{ "umask", { NULL }, false, "it can't fail" },
	{ "futex", { NULL }, false, "of the C library" },
	{ "rt_sigprocmask", { NULL }, false, "it fails for wrong arguments only" },
	{ "rt_sigaction", { NULL }, false, "it fails for wrong arguments only" },
	{ "sigaltstack", { NULL }, false, "it fails for wrong arguments only" },
	{ "clock_gettime", { NULL }, false, "it fails for wrong arguments only" },
	{ "rt_sigreturn", { NULL }, false, "it doesn't come back" },
	{ "exit_group", { NULL }, false, "it doesn't come back" },
};

static const struct fault_row any = { "", { "EIO", "ENOSPC", "EACCES", "EINTR" }, false, NULL };

const struct fault_row *fault_find(const char *call)
{
	for (size_t i = 0; i < TCT_COUNT(rows); i++) {
		if (strcmp(rows[i].call, call) == 0)
			return &rows[i];
	}
	return &any;
}
