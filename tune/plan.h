/*
 * The plan: from a profile set, the observation, the files and the journal to what must change,
 * live and at the next boot. Pure: reads nothing, writes nothing.
 */
#ifndef TCT_TUNE_PLAN_H
#define TCT_TUNE_PLAN_H

#include "audit/judge/report.h"
#include "tune/journal.h"
#include "tune/modules.h"

/* What a key is after the next boot, under one applier. */
struct tct_plan_promise {
	struct tct_value value; /* NONE = not known */
	char file[280];         /* of the boot winner; "" = no file sets it */
	unsigned line;
};

struct tct_plan_key {
	const struct tct_setting *setting; /* NULL: a key that only an earlier profile set; it goes
					      back */
	const struct tct_kernel_key *key;
	struct tct_value before;        /* live now; NONE if not known */
	struct tct_value baseline_live; /* without tcptune; NONE if not known */
	struct tct_value baseline_boot; /* boot winner without our drop-in; NONE = no file sets it
					 */
	struct tct_value wanted;        /* live value to have */
	bool write_live;                /* before != wanted */
	bool owned_live;                /* ours: wanted != baseline_live */
	struct tct_value wanted_boot;   /* line of our drop-in; NONE = no line */
	bool persist;                   /* our drop-in gets/keeps a line */
	bool dormant;                   /* its module isn't loaded: nothing but the line */
	char note[240];                 /* what the line depends on at boot; "" = nothing */
	bool line_changes;              /* that line comes, goes, or gets another value: */
	bool line_differs;              /* it is there with another one */
	/* If the drop-in is part of it: what comes up by the plan, and with the files as they are.
	 */
	struct tct_plan_promise next_boot[TCT_BOOT_MODELS];
	struct tct_plan_promise boot_now[TCT_BOOT_MODELS];
	char because[400];
};

struct tct_plan_refusal {
	const struct tct_kernel_key *key; /* NULL = the whole transaction */
	char kind[16];    /* "never", "range", "requires", "invariant", "shadowed", "missing",
			     "system", "drop-in" */
	char reason[512]; /* with a path below DIR of --root */
};

/* A later file that overrides our drop-in at the next boot. */
struct tct_plan_shadow {
	const struct tct_kernel_key *key;
	enum tct_boot_model model;
	bool counts;     /* this host's model, or it can't be told */
	bool refuses;    /* it counts and isn't allowed: refuse; else a warning */
	bool takes_away; /* "-key": our line isn't applied at all */
	char file[280];
	unsigned line;
	struct tct_value value; /* what it would be; NONE = not known */
};

struct tct_plan_unsupported {
	const struct tct_kernel_key *key;
	char reason[240];
};

struct tct_plan {
	struct tct_plan_key *keys; /* in the order of writing */
	size_t keys_count;
	size_t keys_capacity;
	struct tct_plan_refusal *refused;
	size_t refused_count;
	size_t refused_capacity;
	struct tct_plan_shadow *shadowed;
	size_t shadowed_count;
	size_t shadowed_capacity;
	struct tct_plan_unsupported *unsupported;
	size_t unsupported_count;
	size_t unsupported_capacity;
	bool live;            /* live values are part of it */
	bool persist;         /* the drop-in is part of it */
	char *drop_in_before; /* text now on disk, NULL = no file */
	char *drop_in_after;  /* text to have, NULL = no file */
	bool drop_in_changes; /* by value, or by an order that matters; not by comment */
	/* Our modules-load.d file, as names joined by blanks; NULL = no file. */
	char *modules_before; /* on disk, or by the journal where nobody looked */
	char *modules_after;
	bool modules_change;
	bool changes;               /* anything at all */
	struct tct_owned_set owned; /* what is ours before it; borrows texts of the journal */
};

struct tct_plan_options {
	bool live;
	bool persist;
	bool allow_shadowed;
	bool boot_model_given;             /* --boot */
	enum tct_boot_model boot_model;    /* TCT_BOOT_MODELS = both */
	const char *reason;                /* --reason, NULL = none */
	const char *drop_in;               /* text of our drop-in now, NULL = no file */
	const struct tct_modules *modules; /* NULL = not looked for: no key needs one */
	bool modules_load;                 /* --modules-load */
	/* Of check, borrowed: keys that were asked for without the drop-in, so what it has of them
	 * stays; [tct_kernel_keys_count], NULL = none. */
	const bool *live_only;
	bool lines_stay;      /* the same of keys of ours that the set doesn't name */
	const char *prefix;   /* DIR of --root, for messages; NULL = the live host */
	bool additive;        /* keys of ours that the set doesn't name stay as they are */
	const char *profiles; /* what the drop-in's head names; NULL = the set's names, additive:
				 none */
};

/* Must modules be looked for: is or was a key asked for that needs one? */
bool tct_plan_needs_modules(const struct tct_profile_set *set, const struct tct_journal *journal);

/* Does this model count for this host? */
bool tct_plan_model_counts(const struct tct_plan_options *options,
			   const struct tct_observation *observation, enum tct_boot_model model);

/*
 * Make the plan. history may be empty. Whatever is refused is in plan->refused, not an error.
 * Errors: ENOMEM, REFUSED for files that could not be read.
 */
int tct_plan_make(const struct tct_profile_set *set, const struct tct_facts *facts,
		  const struct tct_observation *observation, const struct tct_journal *journal,
		  const struct tct_plan_options *options, struct tct_plan **out,
		  struct tct_err *err);
/*
 * Refuse ("system") each live value of the plan that the kernel wouldn't let this process write.
 * The one thing about a plan that looks at the system; writes nothing. Errors: ENOMEM, REFUSED when
 * /proc/sys isn't the kernel's own, so that nothing seen there counts.
 */
int tct_plan_refuse_unwritable(struct tct_plan *plan, const struct tct_root *root,
			       struct tct_err *err);
void tct_plan_free(struct tct_plan *plan);

#endif
