/* The parts of the audit document that are made in files of their own. */
#ifndef TCT_AUDIT_JUDGE_REPORT_JSON_H
#define TCT_AUDIT_JUDGE_REPORT_JSON_H

#include "audit/judge/report.h"

/*
 * Add what was seen to the document: the host, sockets, owners, ports, limits, the environment.
 * What is not known is null. Nonzero on ENOMEM.
 */
int tct_report_add_look(const struct tct_report *report, json_t *document);

/* Of these only the interval, the states and the listeners. Likewise. */
int tct_report_add_short_look(const struct tct_observation *observation, json_t *document);

/* "present", "absent" ... */
const char *tct_presence_name(enum tct_presence presence);

#endif
