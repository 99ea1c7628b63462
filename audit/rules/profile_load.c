/* Loading a set: the files and what they extend, then their parts in the order in which they need
 * each other. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules/embedded.h"
#include "audit/rules/profile_private.h"
#include "core/mem.h"

static const char base_name[] = "base";

static int load_file(struct tct_loader *loader, const char *asked, const struct tct_yaml_node *at,
		     size_t *index);

static size_t find_file(const struct tct_loader *loader, const char *asked)
{
	for (size_t i = 0; i < loader->files_count; i++) {
		if (strcmp(loader->files[i].asked, asked) == 0)
			return i;
	}
	return SIZE_MAX;
}

/* Errors about a file that `extends` asked for belong to the line that asks. */
static int place_error(const struct tct_loader *loader, const struct tct_yaml_node *at, int status)
{
	struct tct_err *err = loader->err;

	if (status == 0 || at == NULL || err == NULL || err->file[0] != '\0' || status == -ENOMEM)
		return status;

	char message[sizeof(err->message)];

	memcpy(message, err->message, sizeof(message));
	return tct_yaml_error(at, err, "%s", message);
}

static int check_chain(const struct tct_loader *loader, const char *asked,
		       const struct tct_yaml_node *at)
{
	TCT_AUTO(tct_text_done) struct tct_text chain = { 0 };
	size_t start = 0;

	while (start < loader->chain_count && strcmp(loader->chain[start], asked) != 0)
		start++;
	if (start < loader->chain_count) {
		for (size_t i = start; i < loader->chain_count; i++)
			tct_text_addf(&chain, "%.60s -> ", loader->chain[i]);
		tct_text_addf(&chain, "%.60s", asked);
		return tct_yaml_error(at, loader->err, "`extends` goes in a circle: %.400s",
				      tct_text_string(&chain));
	}
	if (loader->chain_count == TCT_PROFILE_EXTENDS_MAX)
		return tct_yaml_error(at, loader->err, "`extends` goes deeper than %d levels",
				      TCT_PROFILE_EXTENDS_MAX);
	return 0;
}

static int load_parents(struct tct_loader *loader, struct tct_profile_file *file)
{
	const struct tct_yaml_node *list = file->extends;

	for (const struct tct_yaml_node *item = list != NULL ? list->first : NULL; item != NULL;
	     item = item->next) {
		const char *name = NULL;
		size_t parent = 0;
		int status = tct_field_text(item, "a name in `extends`", &name, loader->err);

		if (status == 0 && strchr(name, '/') != NULL)
			return tct_yaml_error(item, loader->err,
					      "`extends` takes names of profiles, not paths");
		if (status == 0)
			status = load_file(loader, name, item, &parent);
		if (status < 0)
			return status;
		file->ancestors |= UINT64_C(1) << parent | loader->files[parent].ancestors;
	}
	return 0;
}

/* The same profile by another name is the same; another one of the same name is trouble. */
static int same_name(const struct tct_loader *loader, const struct tct_profile_file *file,
		     size_t *index)
{
	const struct tct_yaml_document *document = file->root->document;

	*index = SIZE_MAX;
	for (size_t i = 0; i < loader->files_count; i++) {
		const struct tct_profile_file *other = &loader->files[i];
		const struct tct_yaml_document *theirs = other->root->document;

		if (strcmp(other->name, file->name) != 0)
			continue;
		if (theirs->length == document->length &&
		    memcmp(theirs->raw, document->raw, document->length) == 0) {
			*index = i;
			return 0;
		}
		return tct_yaml_error(file->root, loader->err,
				      "two profiles are named `%s`: this one and %.200s",
				      file->name, other->origin);
	}
	return 0;
}

/* Where the rules of a built-in profile begin: they stand last in it, a test sees to it. */
static size_t rules_offset(const char *data, size_t length)
{
	static const char heading[] = "\nrules:\n";
	const char *found = memmem(data, length, heading, sizeof(heading) - 1);

	return found != NULL ? (size_t)(found - data) + 1 : length;
}

static int parse_file(struct tct_loader *loader, const char *asked, struct tct_profile_file *file)
{
	TCT_AUTOFREE char *data = NULL;
	struct tct_yaml_node *yaml = NULL;
	char origin[280];
	size_t length = 0;
	size_t parsed;
	int status = tct_profile_read(loader->root, asked, &data, &length, origin, &file->built_in,
				      loader->err);

	if (status < 0)
		return status;
	file->asked = tct_arena_text(loader->arena, asked, strlen(asked));
	file->origin = tct_arena_text(loader->arena, origin, strlen(origin));
	if (file->asked == NULL || file->origin == NULL)
		return tct_err_nomem(loader->err);
	parsed = file->built_in && !loader->whole ? rules_offset(data, length) : length;
	file->cut = parsed < length;
	status = tct_yaml_parse_start(loader->arena, file->origin, data, length, parsed, &yaml,
				      loader->err);
	if (status == 0)
		status = tct_profile_header(yaml, strchr(asked, '/') != NULL ? NULL : asked, file,
					    loader->err);
	return status;
}

static int append(struct tct_loader *loader, const struct tct_profile_file *file,
		  const struct tct_yaml_node *at, size_t *index)
{
	const struct tct_yaml_document *document = file->root->document;
	int status = same_name(loader, file, index);

	if (status < 0 || *index != SIZE_MAX)
		return status;
	if (loader->files_count == TCT_PROFILE_FILES_MAX)
		return tct_yaml_error(at != NULL ? at : file->root, loader->err,
				      "more than %d profiles together", TCT_PROFILE_FILES_MAX);
	sha256_update(&loader->hash, document->length, (const uint8_t *)document->raw);
	*index = loader->files_count;
	loader->files[loader->files_count++] = *file;
	return 0;
}

static int load_file(struct tct_loader *loader, const char *asked, const struct tct_yaml_node *at,
		     size_t *index)
{
	struct tct_profile_file file = { 0 };
	int status;

	*index = find_file(loader, asked);
	if (*index != SIZE_MAX)
		return 0;
	status = at != NULL ? check_chain(loader, asked, at) : 0;
	if (status == 0)
		status = place_error(loader, at, parse_file(loader, asked, &file));
	if (status < 0)
		return status;
	loader->chain[loader->chain_count++] = file.asked;
	status = load_parents(loader, &file);
	loader->chain_count--;
	return status < 0 ? status : append(loader, &file, at, index);
}

/* What is refused everywhere is refused without being asked for. */
static int load_base_never(struct tct_loader *loader)
{
	const struct tct_embedded_file *embedded = tct_embedded_profile(base_name);
	struct tct_profile_file file = { .asked = "", .built_in = true, .only_never = true };
	struct tct_yaml_node *yaml = NULL;
	int status;

	for (size_t i = 0; i < loader->files_count; i++) {
		if (loader->files[i].built_in && strcmp(loader->files[i].name, base_name) == 0)
			return 0;
	}
	if (embedded == NULL || loader->files_count == TCT_PROFILE_FILES_MAX)
		return 0;
	file.origin = "built-in profile base";
	status = tct_yaml_parse(loader->arena, file.origin, embedded->data, embedded->size, &yaml,
				loader->err);
	if (status == 0)
		status = tct_profile_header(yaml, base_name, &file, loader->err);
	if (status < 0)
		return status;
	sha256_update(&loader->hash, embedded->size, (const uint8_t *)embedded->data);
	loader->files[loader->files_count++] = file;
	return 0;
}

static int load_files(struct tct_loader *loader, const struct tct_profile_request *request)
{
	struct tct_profile_set *set = loader->set;

	sha256_init(&loader->hash);
	loader->files_count = 0;
	set->names_count = 0;
	set->names = tct_arena_array(loader->arena, request->names_count, sizeof(*set->names));
	if (set->names == NULL)
		return tct_err_nomem(loader->err);
	set->names_capacity = request->names_count;
	set->summary = "";
	for (size_t i = 0; i < request->names_count; i++) {
		const char *name = request->names[i];
		size_t index = 0;
		int status = load_file(loader, name, NULL, &index);

		if (status < 0)
			return status;
		set->summary = loader->files[index].summary;
		set->names[set->names_count] = tct_arena_text(loader->arena, name, strlen(name));
		if (set->names[set->names_count++] == NULL)
			return tct_err_nomem(loader->err);
	}
	return load_base_never(loader);
}

/* Do rules have to be checked? Built-in ones load: a test sees to it. */
static bool rules_count(const struct tct_loader *loader)
{
	bool cut = false;
	bool others = false;

	for (size_t i = 0; i < loader->files_count; i++) {
		const struct tct_profile_file *file = &loader->files[i];

		cut = cut || file->cut;
		others = others || (file->rules != NULL && !file->built_in);
	}
	return cut && others;
}

static void finish_hash(struct tct_loader *loader)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(&loader->hash, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		loader->set->sha256[2 * i] = digits[digest[i] >> 4];
		loader->set->sha256[2 * i + 1] = digits[digest[i] & 15];
	}
	loader->set->sha256[2 * sizeof(digest)] = '\0';
}

static int load_all(struct tct_loader *loader, const struct tct_profile_request *request,
		    struct tct_facts *facts)
{
	int status;

	loader->whole = !request->settings_only;
	status = load_files(loader, request);
	if (status == 0 && !loader->whole && rules_count(loader)) {
		loader->whole = true;
		status = load_files(loader, request);
	}
	if (status == 0)
		status = tct_variables_load(loader);
	if (status == 0)
		status = tct_settings_load(loader);
	if (status == 0)
		status = tct_rules_load(loader);
	if (status == 0)
		status = tct_never_load(loader);
	if (status == 0)
		status = tct_variables_bind(loader, request, facts);
	if (status == 0)
		status = tct_sets_load(loader, facts);
	return status;
}

int tct_profile_set_load(const struct tct_profile_request *request, struct tct_facts *facts,
			 struct tct_profile_set **set, struct tct_err *err)
{
	TCT_AUTOFREE struct tct_loader *loader = calloc(1, sizeof(*loader));
	struct tct_profile_set *made = calloc(1, sizeof(*made));
	struct tct_arena *arena = tct_arena_new(TCT_PROFILE_ARENA_MAX);
	int status;

	if (loader == NULL || made == NULL || arena == NULL) {
		free(made);
		tct_arena_free(arena);
		return tct_err_nomem(err);
	}
	made->arena = arena;
	loader->request = request;
	loader->root = request->root;
	loader->set = made;
	loader->arena = arena;
	loader->err = err;
	status = load_all(loader, request, facts);
	if (status < 0) {
		tct_profile_set_free(made);
		return status;
	}
	finish_hash(loader);
	*set = made;
	return 0;
}

void tct_profile_set_free(struct tct_profile_set *set)
{
	if (set == NULL)
		return;
	/* all that the set points to is the arena's */
	tct_arena_free(set->arena);
	free(set);
}
