#include "audit/observe/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "audit/observe/nat.h"
#include "core/mem.h"
#include "core/text.h"

enum {
	TEXT_MAX = 1 << 16,
	ENVIRON_MAX = 1 << 20,
};

/* Take a name as runtimes write theirs: letters, digits, "-_.". False if it is none. */
static bool copy_name(char *out, size_t out_size, const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	if (length == 0 || length >= out_size || name[length] != '\0')
		return false;
	memcpy(out, name, length + 1);
	return true;
}

/* The first line; "" if there is none. */
static void read_line(const struct tct_root *root, const char *path, char *out, size_t out_size)
{
	TCT_AUTOFREE char *data = NULL;

	out[0] = '\0';
	if (tct_root_read(root, path, TEXT_MAX, &data, NULL) < 0)
		return;
	data[strcspn(data, "\n")] = '\0';
	(void)snprintf(out, out_size, "%s", tct_text_trim(data));
}

const char *tct_environment_cgroup(const char *text)
{
	static const struct {
		const char *part;
		const char *name;
	} parts[] = {
		{ "/kubepods", "kubernetes" },
		{ "/libpod", "podman" },
		{ "/docker", "docker" },
		{ "/crio-", "cri-o" },
		{ "/cri-containerd-", "containerd" },
		{ "/lxc.payload", "lxc" },
		{ "/lxc/", "lxc" },
		{ "/machine.slice/machine-", "systemd-nspawn" },
	};

	for (size_t i = 0; i < TCT_COUNT(parts); i++) {
		const char *found = text;
		size_t length = strlen(parts[i].part);

		while ((found = strstr(found, parts[i].part)) != NULL) {
			/* "/docker/ID", "/docker-ID.scope"; not the daemon's "/docker.service" */
			if (strncmp(found + length, ".service", strlen(".service")) != 0)
				return parts[i].name;
			found += length;
		}
	}
	return "";
}

bool tct_environment_variable(const char *text, size_t length, char *out, size_t out_size)
{
	static const char name[] = "container=";

	for (size_t at = 0; at < length;) {
		size_t size = strnlen(text + at, length - at);

		if (at + size == length)
			return false; /* cut off */
		if (strncmp(text + at, name, strlen(name)) == 0)
			return copy_name(out, out_size, text + at + strlen(name));
		at += size + 1;
	}
	return false;
}

/* Are we in the machine's own namespace of processes and of cgroups? Then files that container
 * runtimes leave in their images say where the files come from, not what we run in. */
static bool is_whole_machine(const struct tct_root *root)
{
	/* include/linux/proc_ns.h: PROC_PID_INIT_INO, PROC_CGROUP_INIT_INO */
	static const struct {
		const char *path;
		ino_t initial;
	} namespaces[] = {
		{ "/proc/self/ns/pid", 0xEFFFFFFCU },
		{ "/proc/self/ns/cgroup", 0xEFFFFFFBU },
	};

	for (size_t i = 0; i < TCT_COUNT(namespaces); i++) {
		struct stat status;

		if (!root->live || stat(namespaces[i].path, &status) < 0 ||
		    status.st_ino != namespaces[i].initial)
			return false;
	}
	return true;
}

/* By what runtimes write for their containers to see; systemd.io/CONTAINER_INTERFACE. */
static bool find_told(const struct tct_root *root, char *out, size_t out_size)
{
	static const char *const files[] = { "run/systemd/container",
					     "run/host/container-manager" };
	TCT_AUTOFREE char *variables = NULL;
	char line[128];
	size_t length = 0;

	for (size_t i = 0; i < TCT_COUNT(files); i++) {
		read_line(root, files[i], line, sizeof(line));
		if (copy_name(out, out_size, line))
			return true;
	}
	return tct_root_read(root, "proc/1/environ", ENVIRON_MAX, &variables, &length) == 0 &&
	       tct_environment_variable(variables, length, out, out_size);
}

static bool find_cgroup(const struct tct_root *root, char *out, size_t out_size)
{
	static const char *const files[] = { "proc/self/cgroup", "proc/1/cgroup" };

	for (size_t i = 0; i < TCT_COUNT(files); i++) {
		TCT_AUTOFREE char *text = NULL;

		if (tct_root_read(root, files[i], TEXT_MAX, &text, NULL) == 0 &&
		    copy_name(out, out_size, tct_environment_cgroup(text)))
			return true;
	}
	return false;
}

/* By what else is lying about: weaker, because a machine may have been made from an image. */
static void find_marks(const struct tct_root *root, char *out, size_t out_size)
{
	static const struct {
		const char *path;
		const char *name;
	} marks[] = {
		{ "run/.containerenv", "podman" },
		{ ".dockerenv", "docker" },
		{ "run/secrets/kubernetes.io", "kubernetes" },
	};
	const char *found = "";

	if (is_whole_machine(root))
		return;
	for (size_t i = 0; i < TCT_COUNT(marks) && found[0] == '\0'; i++) {
		if (tct_root_exists(root, marks[i].path))
			found = marks[i].name;
	}
	if (found[0] == '\0' && tct_root_exists(root, "proc/vz") &&
	    !tct_root_exists(root, "proc/bc"))
		found = "openvz";
	(void)snprintf(out, out_size, "%s", found);
}

const char *tct_environment_dmi(const char *product, const char *vendor, const char *bios)
{
	static const struct {
		const char *part;
		const char *name;
	} parts[] = {
		{ "OpenStack", "kvm" },
		{ "KubeVirt", "kvm" },
		{ "KVM", "kvm" },
		{ "DigitalOcean", "kvm" },
		{ "Google Compute Engine", "google" },
		{ "Amazon EC2", "amazon" },
		{ "Alibaba Cloud", "alibaba" },
		{ "VMware", "vmware" },
		{ "VirtualBox", "virtualbox" },
		{ "innotek GmbH", "virtualbox" },
		{ "Virtual Machine", "hyper-v" },
		{ "Parallels", "parallels" },
		{ "BHYVE", "bhyve" },
		{ "Apple Virtualization", "apple" },
		{ "Xen", "xen" },
		{ "QEMU", "qemu" },
		{ "Bochs", "bochs" },
	};
	const char *const texts[] = { product, vendor, bios };

	/* "Amazon EC2", "i3.metal": the machine itself */
	if (strstr(vendor, "Amazon") != NULL && strstr(product, ".metal") != NULL)
		return "";
	for (size_t i = 0; i < TCT_COUNT(texts); i++) {
		for (size_t j = 0; j < TCT_COUNT(parts); j++) {
			if (strstr(texts[i], parts[j].part) != NULL)
				return parts[j].name;
		}
	}
	return "";
}

static const char *ask_processor(void)
{
#if defined(__x86_64__) || defined(__i386__)
	static const struct {
		const char *told;
		const char *name;
	} names[] = {
		{ "KVMKVMKVM", "kvm" },          { "Linux KVM Hv", "kvm" },
		{ "VMwareVMware", "vmware" },    { "Microsoft Hv", "hyper-v" },
		{ "XenVMMXenVMM", "xen" },       { "TCGTCGTCGTCG", "qemu" },
		{ "bhyve bhyve ", "bhyve" },     { "VBoxVBoxVBox", "virtualbox" },
		{ " lrpepyh  vr", "parallels" },
	};
	unsigned a;
	unsigned told[3];
	unsigned c;
	unsigned d;
	char text[sizeof(told) + 1] = { 0 };

	if (__get_cpuid(1, &a, &told[0], &c, &d) == 0 || (c & 1U << 31) == 0)
		return "";
	__cpuid(0x40000000, a, told[0], told[1], told[2]);
	memcpy(text, told, sizeof(told));
	for (size_t i = 0; i < TCT_COUNT(names); i++) {
		if (strcmp(text, names[i].told) == 0)
			return names[i].name;
	}
	return "unknown";
#else
	return "";
#endif
}

/* The flag in the first processor's lines: the whole file is long, and slow to make. */
static bool has_flag(const struct tct_root *root)
{
	char text[8192];

	if (tct_root_read_beginning(root, "proc/cpuinfo", text, sizeof(text)) <= 0)
		return false;

	const char *flags = strstr(text, "flags");
	const char *found = flags != NULL ? strstr(flags, " hypervisor") : NULL;

	return found != NULL && strcspn(flags, "\n") > (size_t)(found - flags);
}

static const char *find_hypervisor(const struct tct_root *root)
{
	char product[128];
	char vendor[128];
	char bios[128];
	char type[64];
	TCT_AUTOFREE char *rights = NULL;
	const char *found;

	/* the machine's own Linux under Xen is none of its guests */
	if (tct_root_read(root, "proc/xen/capabilities", TEXT_MAX, &rights, NULL) == 0 &&
	    strstr(rights, "control_d") != NULL)
		return "";
	read_line(root, "sys/class/dmi/id/product_name", product, sizeof(product));
	read_line(root, "sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor));
	read_line(root, "sys/class/dmi/id/bios_vendor", bios, sizeof(bios));
	found = tct_environment_dmi(product, vendor, bios);
	if (found[0] != '\0')
		return found;
	read_line(root, "sys/hypervisor/type", type, sizeof(type));
	if (strcmp(type, "xen") == 0)
		return "xen";
	read_line(root, "proc/device-tree/hypervisor/compatible", type, sizeof(type));
	if (strncmp(type, "linux,kvm", strlen("linux,kvm")) == 0)
		return "kvm";
	if (strncmp(type, "xen,xen", strlen("xen,xen")) == 0)
		return "xen";
	if (root->live) {
		found = ask_processor();
		if (found[0] != '\0')
			return found;
	}
	return has_flag(root) ? "unknown" : "";
}

void tct_environment_look(const struct tct_root *root, struct tct_environment *environment)
{
	size_t size = sizeof(environment->container);

	*environment = (struct tct_environment){ .presence = TCT_NOT_LOOKED };
	if (!find_told(root, environment->container, size) &&
	    !find_cgroup(root, environment->container, size))
		find_marks(root, environment->container, size);
	(void)snprintf(environment->hypervisor, sizeof(environment->hypervisor), "%s",
		       find_hypervisor(root));
	/* an image of files only says nothing about where it runs */
	if (tct_root_exists(root, "proc/sys") || environment->container[0] != '\0' ||
	    environment->hypervisor[0] != '\0')
		environment->presence = TCT_PRESENT;
	tct_nat_look(root, environment);
}
