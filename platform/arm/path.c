/* SPDX-License-Identifier: MIT
 *
 * Paths as text: a path is compared name by name, never as a bare prefix.
 */
#include "platform/platform.h"

#include <string.h>

bool platform_path_is_clean(const char *path)
{
	if (path[0] != '/' || !path[1])
		return false;
	while (*path) {
		const char *name = path + 1;
		size_t n = strcspn(name, "/");

		if (*path != '/' || n == 0 || n > 255)
			return false;
		if ((n == 1 && name[0] == '.') || (n == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		path = name + n;
	}
	return true;
}

bool platform_path_is_within(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}
