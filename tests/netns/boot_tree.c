#include "tests/netns/boot_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/kernel_keys.h"
#include "core/mem.h"
#include "core/text.h"

struct dice {
	uint64_t state;
};

/* splitmix64 */
static uint64_t roll(struct dice *dice)
{
	uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static unsigned below(struct dice *dice, size_t limit)
{
	return (unsigned)(roll(dice) % limit);
}

#define PICK(dice, array) ((array)[below(dice, TCT_COUNT(array))])

static const char *const dirs[] = {
	"etc/sysctl.d",           "etc/sysctl.d",     "run/sysctl.d",
	"usr/local/lib/sysctl.d", "usr/lib/sysctl.d",
};

static const char *const names[] = {
	"10-a.conf",      "10-network.conf",  "9-z.conf",      "50-x.conf",
	"99-sysctl.conf", "99-tcptune.conf",  "Z.conf",        ".hidden.conf",
	"zz.conf",        "note.txt",         "50-x.conf.bak", "60-\xc3\xa4.conf",
	".conf",          "99-tcptune.conf~", "50-x.conf",     "zz.conf",
};

/* Few, so that they meet. The port keys and tcp_reordering have other keys for limits, and
 * conf.all.forwarding is another file of ip_forward. */
static const char *const keys[] = {
	"net.ipv4.tcp_rmem",
	"net.ipv4.tcp_rmem",
	"net.ipv4.tcp_wmem",
	"net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_syncookies",
	"net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_keepalive_intvl",
	"net.ipv4.tcp_max_tw_buckets",
	"net.core.somaxconn",
	"net.ipv4.ip_local_reserved_ports",
	"net.ipv4.tcp_notsent_lowat",
	"net.ipv4.tcp_invalid_ratelimit",
	"net.ipv4.tcp_tw_recycle",
	"net.core.no_such_key",
	"net.ipv4.ip_local_port_range",
	"net.ipv4.ip_local_port_range",
	"net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.tcp_reordering",
	"net.ipv4.tcp_max_reordering",
	"net.ipv4.ip_forward",
	"net.ipv4.conf.all.forwarding",
};

static const char *const patterns[] = {
	"net.ipv4.tcp_keepalive_*",
	"net.ipv4.tcp_k*",
	"net/ipv4/tcp_[rw]mem",
	"net.ipv4.tcp_?mem",
	"net.*.tcp_fin_timeout",
	"net.ipv4.*_syncookies",
	"net.*v4.tcp_[!a-q]mem",
	"net.ipv4.tcp_{rmem,k?epalive_time}",
	"net.ipv4.tcp_keepalive_{time,intvl}*",
	"/net/ipv4/tcp_keepalive_t*",
	"net//ipv4/tcp_?mem",
	"net/./ipv4/tcp_[r]mem",
	"net.core.somax*",
	"net.ipv4.tcp_m*_buckets",
	"net.ipv4.[!t]*reserved_ports",
	"*.ipv4.tcp_inv*",
	"net.ipv4.tcp_f*_timeout/",
	"net.ipv4.tcp_{re,max_re}ordering",
	"net.ipv4.tcp_*ordering",
	"net.ipv4.ip_*_port_*",
	"net.ipv4.conf.*.forwarding",
};

static const char *const values[] = {
	"1",
	"0",
	"2",
	"30",
	"77",
	"600",
	"4096 65536 1048576",
	"8192",
	"4096 16384",
	"5000 bogus 7",
	"-5",
	"010",
	"0x40",
	"99999999999999999999",
	"46 # foo",
	"1 #note",
	"\"5\"",
	"",
	"4096\t87380\t6291456 1",
	"80,81,82",
	"9000-9100,80",
	"1e3",
	"+5",
	"true",
	"5000\x0b",
	"12 34",
	"4000 3000 2000",
	"0x1000 010000 65536",
	"7 ",
	"3600",
	"400",
	"1000",
	"40000 60999",
	"40000",
	"33000 61000",
	"500 60000",
	"50000",
};

/* A key in one of the spellings that people and vendors use, or neither should. */
static void add_key(struct dice *dice, struct tct_text *text, const char *key)
{
	char slashed[128];

	switch (below(dice, 12)) {
	case 0:
	case 1:
		if (tct_kernel_key_path(key, slashed, sizeof(slashed)) == 0)
			tct_text_add(text, slashed);
		break;
	case 2:
		if (tct_kernel_key_path(key, slashed, sizeof(slashed)) == 0)
			tct_text_addf(text, "/%s", slashed);
		break;
	case 3:
		tct_text_addf(text, "net//%s", key + sizeof("net.") - 1);
		break;
	case 4:
		tct_text_addf(text, "net..%s", key + sizeof("net.") - 1);
		break;
	case 5:
		if (below(dice, 3) > 0)
			tct_text_add(text, key);
		else if (tct_kernel_key_path(key, slashed, sizeof(slashed)) == 0)
			tct_text_addf(
				text, "%s%s",
				PICK(dice, ((const char *const[]){ "/proc/sys/", "net/../", "./",
								   "../sys/", "net/./../" })),
				slashed);
		break;
	default:
		tct_text_add(text, key);
	}
}

static void add_line(struct dice *dice, struct tct_text *text)
{
	static const char *const equals[] = { " = ", "=", " =", "= ", "\t=\t", " = = " };
	static const char *const ends[] = { "\n",  "\n",     "\n", "\n",   "\n",  "\r\n",
					    " \n", "\t\r\n", "\r", "\n\n", "\f\n" };
	static const char *const fronts[] = {
		"", "", "", "", "", " ", "\t", "-", "- ", "--", " -"
	};
	static const char *const others[] = {
		"# a comment",
		"; another",
		"no assignment",
		"net.ipv4.tcp_rmem 4096 1 1",
		"=5",
		"-",
		"#net.ipv4.tcp_sack = 0",
		"x",
		"\xef\xbb\xbfnet.ipv4.tcp_syncookies = 2",
	};
	unsigned kind = below(dice, 20);

	if (kind < 2) {
		tct_text_add(text, PICK(dice, others));
	} else if (kind < 5) {
		tct_text_add(text, PICK(dice, ((const char *const[]){ "-", "-", "- ", "--" })));
		if (kind == 2)
			tct_text_add(text, PICK(dice, patterns));
		else
			add_key(dice, text, PICK(dice, keys));
	} else {
		tct_text_add(text, PICK(dice, fronts));
		if (kind < 9)
			tct_text_add(text, PICK(dice, patterns));
		else
			add_key(dice, text, PICK(dice, keys));
		tct_text_add(text, PICK(dice, equals));
		tct_text_add(text, PICK(dice, values));
	}
	if (below(dice, 60) == 0)
		tct_text_add_bytes(text, "\0net.ipv4.tcp_syncookies = 0", 28);
	tct_text_add(text, PICK(dice, ends));
}

static int write_file(const char *path, const struct tct_text *text)
{
	TCT_AUTOCLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	if (text->length == 0)
		return 0;
	return write(fd, text->data, text->length) == (ssize_t)text->length ? 0 : -EIO;
}

static int make_file(struct dice *dice, const char *path)
{
	TCT_AUTO(tct_text_done) struct tct_text text = { 0 };
	unsigned lines = 1 + below(dice, 14);

	if (below(dice, 12) == 0)
		lines = 0;
	if (below(dice, 20) == 0)
		tct_text_add(&text, "\xef\xbb\xbf");
	for (unsigned i = 0; i < lines; i++)
		add_line(dice, &text);
	/* Sometimes without the last newline. */
	if (text.length > 0 && below(dice, 4) == 0)
		text.length--;
	return text.failed ? -ENOMEM : write_file(path, &text);
}

static int make_entry(struct dice *dice, const char *path)
{
	int result;

	(void)unlink(path);
	switch (below(dice, 16)) {
	case 0:
		result = symlink("/dev/null", path);
		break;
	case 1:
		result = symlink("nowhere", path);
		break;
	case 2:
		result = mkdir(path, 0755);
		break;
	case 3:
		result = symlink("../sysctl.conf", path);
		break;
	default:
		return make_file(dice, path);
	}
	/* A directory stays what it was. */
	return result < 0 && errno != EEXIST ? -errno : 0;
}

static int make_directories(const char *root)
{
	char path[4096];

	for (size_t i = 0; i < TCT_COUNT(dirs); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", root, dirs[i]);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

int tct_boot_tree_make(const char *root, uint64_t seed)
{
	struct dice dice = { seed * UINT64_C(0x2545f4914f6cdd1d) + 1 };
	unsigned files = 2 + below(&dice, 9);
	char path[4096];
	int result = make_directories(root);

	for (unsigned i = 0; i < files && result == 0; i++) {
		const char *dir = PICK(&dice, dirs);

		(void)snprintf(path, sizeof(path), "%s/%s/%s", root, dir, PICK(&dice, names));
		result = make_entry(&dice, path);
		if (result == -EISDIR)
			result = 0;
	}
	(void)snprintf(path, sizeof(path), "%s/etc/sysctl.conf", root);
	if (result == 0 && below(&dice, 4) > 0)
		result = make_file(&dice, path);
	(void)snprintf(path, sizeof(path), "%s/etc/sysctl.d/99-sysctl.conf", root);
	if (result == 0 && below(&dice, 2) > 0 && symlink("../sysctl.conf", path) < 0 &&
	    errno != EEXIST)
		result = -errno;
	return result;
}
