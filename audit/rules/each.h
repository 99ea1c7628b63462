/* The attributes of the items that rules are judged for: `each: listener`, `key`, `line` ... */
#ifndef TCT_AUDIT_RULES_EACH_H
#define TCT_AUDIT_RULES_EACH_H

#include "audit/rules/node.h"

struct tct_attribute {
	enum tct_each each;
	const char *name;
	struct tct_type type;
	unsigned looks; /* TCT_LOOK_... that it needs beyond those of its items */
	/* *result is a VALUE of the type before; the item exists. */
	void (*read)(const struct tct_env *env, struct tct_result *result);
	/* The same at the first look, for growing(); NULL = there is none. */
	void (*first)(const struct tct_env *env, struct tct_result *result);
};

extern const struct tct_attribute tct_attributes[];
extern const size_t tct_attributes_count;

/* The attribute of this each, or NULL. */
const struct tct_attribute *tct_attribute_find(enum tct_each each, const char *name);
/* Which items have an attribute of that name: "listener, owner or peer"; "" = none. Returns out. */
enum { TCT_EACH_WORDS = 120 };
const char *tct_attribute_owners(const char *name, char out[TCT_EACH_WORDS]);

/* TCT_LOOK_... by which the items themselves are found. */
unsigned tct_each_looks(enum tct_each each);

/* Readers, by the file that has them. */
#define TCT_LISTENER_ATTRIBUTES(x)                                                                 \
	x(address) x(endpoint) x(port) x(queue) x(queue_first) x(backlog) x(drops) x(drops_first)  \
		x(drops_growth) x(syn_recv) x(syn_recv_resent) x(family) x(fixed_port) x(v6only)   \
			x(owner) x(unit) x(siblings) x(first_sibling) x(first_of_port)             \
				x(sibling_queue_least) x(unaccepted_kept) x(unaccepted_idle)       \
					x(established) x(remote) x(unguarded) x(retransmitting)
#define TCT_OWNER_ATTRIBUTES(x)                                                                    \
	x(name) x(unit) x(process) x(pid) x(ports) x(established) x(close_wait)                    \
		x(close_wait_first) x(descriptors_max) x(busy) x(rwnd_limited) x(sndbuf_limited)
#define TCT_DESTINATION_ATTRIBUTES(x)                                                              \
	x(source) x(address) x(port) x(endpoint) x(sockets) x(time_wait) x(reusable) x(used)       \
		x(used_first) x(syn_sent) x(syn_unanswered) x(exhausted_in) x(owner) x(unit)
#define TCT_PEER_ATTRIBUTES(x) x(address) x(local) x(port) x(established) x(owner) x(unit)
#define TCT_INTERFACE_ATTRIBUTES(x)                                                                \
	x(interface) x(mtu) x(rp_filter) x(rx_packets_growth) x(rx_errors_growth)                  \
		x(rx_dropped_growth) x(tx_errors_growth) x(tx_dropped_growth)
#define TCT_NAMESPACE_ATTRIBUTES(x) x(namespace) x(diverging) x(diverging_keys)
#define TCT_KEY_ATTRIBUTES(x)                                                                      \
	x(key) x(live) x(boot) x(file) x(line) x(drift) x(boot_systemd) x(boot_procps)             \
		x(models_differ) x(shadowed) x(shadowed_lines) x(shadowed_by_vendor) x(value_set)  \
			x(never) x(never_because) x(now) x(set_by_us) x(out_of_range) x(unsorted)
#define TCT_LINE_ATTRIBUTES(x)                                                                     \
	x(key) x(value) x(file) x(line) x(ours) x(vendor) x(ignore_errors) x(wins) x(in_table)     \
		x(removed) x(removed_in) x(no_op) x(no_op_since) x(rest_ignored) x(refused)        \
			x(half_refused) x(partial) x(read_only) x(reason) x(stored)                \
				x(stored_number) x(out_of_range) x(unsorted)
#define TCT_SUPPRESSION_ATTRIBUTES(x)                                                              \
	x(id) x(pattern) x(reason) x(expires) x(file) x(line) x(expired) x(days_expired)

#define TCT_DECLARE(each, name)                                                                    \
	void tct_read_##each##_##name(const struct tct_env *, struct tct_result *);
#define TCT_DECLARE_LISTENER(name) TCT_DECLARE(listener, name)
#define TCT_DECLARE_OWNER(name) TCT_DECLARE(owner, name)
#define TCT_DECLARE_DESTINATION(name) TCT_DECLARE(destination, name)
#define TCT_DECLARE_PEER(name) TCT_DECLARE(peer, name)
#define TCT_DECLARE_INTERFACE(name) TCT_DECLARE(interface, name)
#define TCT_DECLARE_NAMESPACE(name) TCT_DECLARE(namespace, name)
#define TCT_DECLARE_KEY(name) TCT_DECLARE(key, name)
#define TCT_DECLARE_LINE(name) TCT_DECLARE(line, name)
#define TCT_DECLARE_SUPPRESSION(name) TCT_DECLARE(suppression, name)
TCT_LISTENER_ATTRIBUTES(TCT_DECLARE_LISTENER)
TCT_OWNER_ATTRIBUTES(TCT_DECLARE_OWNER)
TCT_DESTINATION_ATTRIBUTES(TCT_DECLARE_DESTINATION)
TCT_PEER_ATTRIBUTES(TCT_DECLARE_PEER)
TCT_INTERFACE_ATTRIBUTES(TCT_DECLARE_INTERFACE)
TCT_NAMESPACE_ATTRIBUTES(TCT_DECLARE_NAMESPACE)
TCT_KEY_ATTRIBUTES(TCT_DECLARE_KEY)
TCT_LINE_ATTRIBUTES(TCT_DECLARE_LINE)
TCT_SUPPRESSION_ATTRIBUTES(TCT_DECLARE_SUPPRESSION)
#undef TCT_DECLARE
#undef TCT_DECLARE_LISTENER
#undef TCT_DECLARE_OWNER
#undef TCT_DECLARE_DESTINATION
#undef TCT_DECLARE_PEER
#undef TCT_DECLARE_INTERFACE
#undef TCT_DECLARE_NAMESPACE
#undef TCT_DECLARE_KEY
#undef TCT_DECLARE_LINE
#undef TCT_DECLARE_SUPPRESSION

/* A text that outlives the caller: copied to env->scratch. */
void tct_result_text_copy(const struct tct_env *env, const char *text, struct tct_result *result);
/* A text that was put together; frees it. */
void tct_result_text_take(const struct tct_env *env, struct tct_text *text,
			  struct tct_result *result);
/* "nginx[123]", "" if not known. */
void tct_result_process(const struct tct_env *env, const struct tct_owner *owner,
			struct tct_result *result);
/* A number that is negative when nobody looked. */
void tct_result_looked(int64_t number, const char *what, struct tct_result *result);
/* What grew between the two looks; missing after one look, if not known, or if it shrank. */
void tct_result_growth(const struct tct_env *env, int64_t first, int64_t last, const char *what,
		       struct tct_result *result);
/* A key's value as text. */
void tct_result_value_text(const struct tct_env *env, const struct tct_value *value,
			   struct tct_result *result);
void tct_result_no_memory(struct tct_result *result);

/* Beyond what tcptune would write; fields that should ascend and don't. */
bool tct_value_out_of_range(const struct tct_kernel_key *key, const struct tct_value *value);
bool tct_value_unsorted(const struct tct_kernel_key *key, const struct tct_value *value);

/* Ports weren't counted because there is not one outgoing connection. */
bool tct_outgoing_is_none(const struct tct_outgoing *outgoing);
/* Ports weren't counted because so few are in use that they can't run short. */
bool tct_outgoing_suffices(const struct tct_outgoing *outgoing);

/* Does some line of the host's files, which were read, decide the key, however the host boots? */
bool tct_host_sets(const struct tct_observation *host, const struct tct_kernel_key *key);

#endif
