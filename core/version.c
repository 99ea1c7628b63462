#include "core/version.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

tct_version tct_version_parse(const char *text)
{
	tct_version parts[3] = { 0, 0, 0 };
	int count = 0;

	while (count < 3 && isdigit((unsigned char)*text)) {
		char *end;
		unsigned long number = strtoul(text, &end, 10);

		if (number > 0xffff)
			return 0;
		parts[count++] = (tct_version)number;
		text = end;
		if (*text != '.')
			break;
		text++;
	}
	if (count < 2)
		return 0;
	return parts[0] << 32 | parts[1] << 16 | parts[2];
}

const char *tct_version_text(tct_version version, char out[32])
{
	int major = (int)(version >> 32 & 0xffff);
	int minor = (int)(version >> 16 & 0xffff);
	int patch = (int)(version & 0xffff);
	int length;

	if (patch == 0)
		length = snprintf(out, 32, "%d.%d", major, minor);
	else
		length = snprintf(out, 32, "%d.%d.%d", major, minor, patch);
	if (length < 0)
		out[0] = '\0';
	return out;
}
