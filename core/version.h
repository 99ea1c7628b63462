/* Kernel versions: "6.18.44-amd64" as a comparable number. */
#ifndef TCT_CORE_VERSION_H
#define TCT_CORE_VERSION_H

#include <stdint.h>

/* major << 32 | minor << 16 | patch; 0 = not known. */
typedef int64_t tct_version;

#define TCT_VERSION(major, minor) ((tct_version)(major) << 32 | (tct_version)(minor) << 16)

/* Read the leading "major.minor[.patch]"; what follows is ignored. Returns 0 if there is none. */
tct_version tct_version_parse(const char *text);

/* "4.12" or "6.18.44" to out. Returns out. */
const char *tct_version_text(tct_version version, char out[32]);

#endif
