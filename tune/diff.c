/* A unified diff of two small texts, for people. */
#include <stdint.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "tune/transact.h"

enum { CONTEXT = 3, TABLE_MAX = 1 << 22 };

struct lines {
	const char **items;
	size_t items_count;
	size_t items_capacity;
};

static bool same(const char *a, const char *b)
{
	size_t length = strcspn(a, "\n");

	return length == strcspn(b, "\n") && memcmp(a, b, length) == 0;
}

static bool split(const char *text, struct lines *lines)
{
	while (text != NULL && *text != '\0') {
		const char **line = TCT_APPEND(lines, items);

		if (line == NULL)
			return false;
		*line = text;
		text += strcspn(text, "\n");
		if (*text == '\n')
			text++;
	}
	return true;
}

static void add(struct tct_text *out, char sign, const char *line)
{
	tct_text_addf(out, "%c%.*s\n", sign, (int)strcspn(line, "\n"), line);
}

/* The changed middle, by the longest common subsequence: table[i * (m + 1) + j] is that of what
 * follows. */
static bool add_middle(struct tct_text *out, const char **a, size_t n, const char **b, size_t m)
{
	TCT_AUTOFREE uint16_t *table = NULL;
	size_t i = 0;
	size_t j = 0;

	if (n < UINT16_MAX && m < UINT16_MAX && (n + 1) * (m + 1) <= TABLE_MAX) {
		table = calloc((n + 1) * (m + 1), sizeof(*table));
		if (table == NULL)
			return false;
		for (i = n; i-- > 0;) {
			for (j = m; j-- > 0;) {
				uint16_t right = table[i * (m + 1) + j + 1];
				uint16_t down = table[(i + 1) * (m + 1) + j];
				uint16_t best = right > down ? right : down;

				if (same(a[i], b[j]))
					best = (uint16_t)(table[(i + 1) * (m + 1) + j + 1] + 1);
				table[i * (m + 1) + j] = best;
			}
		}
		i = 0;
		j = 0;
	}
	while (i < n || j < m) {
		if (table != NULL && i < n && j < m && same(a[i], b[j])) {
			add(out, ' ', a[i]);
			i++;
			j++;
		} else if (i < n && (table == NULL || j == m ||
				     table[(i + 1) * (m + 1) + j] >= table[i * (m + 1) + j + 1])) {
			add(out, '-', a[i++]);
		} else {
			add(out, '+', b[j++]);
		}
	}
	return true;
}

char *tct_diff(const char *path, const char *before, const char *after)
{
	TCT_AUTO(tct_text_done) struct tct_text out = { 0 };
	struct lines a = { 0 };
	struct lines b = { 0 };
	bool fine = split(before, &a) && split(after, &b);
	size_t head = 0;
	size_t tail = 0;

	while (fine && head < a.items_count && head < b.items_count &&
	       same(a.items[head], b.items[head]))
		head++;
	while (fine && tail < a.items_count - head && tail < b.items_count - head &&
	       same(a.items[a.items_count - 1 - tail], b.items[b.items_count - 1 - tail]))
		tail++;
	if (fine && (head + tail < a.items_count || head + tail < b.items_count)) {
		size_t first = head > CONTEXT ? head - CONTEXT : 0;
		size_t more = tail > CONTEXT ? CONTEXT : tail;
		size_t n = a.items_count - tail + more - first;
		size_t m = b.items_count - tail + more - first;

		tct_text_addf(&out, "--- %s\n+++ %s\n@@ -%zu,%zu +%zu,%zu @@\n",
			      before != NULL ? path : "/dev/null",
			      after != NULL ? path : "/dev/null", n > 0 ? first + 1 : 0, n,
			      m > 0 ? first + 1 : 0, m);
		for (size_t i = first; i < head; i++)
			add(&out, ' ', a.items[i]);
		fine = add_middle(&out, a.items + head, a.items_count - tail - head, b.items + head,
				  b.items_count - tail - head);
		for (size_t i = 0; i < more; i++)
			add(&out, ' ', a.items[a.items_count - tail + i]);
	}
	free(a.items);
	free(b.items);
	return fine ? tct_text_take(&out) : NULL;
}
