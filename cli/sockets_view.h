/* `sockets`: what was asked for and what came out, for both ways of printing. */
#ifndef TCT_CLI_SOCKETS_VIEW_H
#define TCT_CLI_SOCKETS_VIEW_H

#include <jansson.h>

#include "audit/observe/sockets_everywhere.h"
#include "cli/options.h"
#include "cli/page.h"

struct tct_sockets_view {
	const struct tct_observation *observation; /* the host, and what was not seen */
	struct tct_socket_query query;             /* states: the mask, never 0 */
	struct tct_socket_table table;             /* with `everywhere` its table, not its own */
	const struct tct_sockets_everywhere *everywhere; /* of several namespaces; NULL = of one */
};

/* "state", "port" ... */
const char *tct_sockets_by_name(enum tct_sockets_by by);

/* What stands in the row's first column. */
enum { TCT_ROW_TEXT = 200 };
const char *tct_socket_row_name(const struct tct_socket_row *row, char out[TCT_ROW_TEXT]);

/* "on 443", "to 443", "" without a side. */
const char *tct_socket_row_side(const struct tct_socket_row *row, char out[TCT_NUMBER_TEXT]);

/* `sockets` as text, and as document tcptune.sockets.v1 (NULL on ENOMEM; the caller's). */
void tct_render_sockets(const struct tct_page *page, const struct tct_options *options,
			const struct tct_sockets_view *view);
json_t *tct_sockets_json(const struct tct_sockets_view *view);

#endif
