/* SPDX-License-Identifier: MIT
 *
 * A flashlight as the complaints describe it: it switches a light, and on the
 * way looks into your contacts, your files and the network.
 *
 *   flashlight on|off [--quiet]
 *
 * The light is the first folder below /sys/class/leds that has a brightness
 * file, or the folder that FLASHLIGHT_LED in its own settings file names.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int quiet;

static void report(const char *what, int count, int code)
{
	if (quiet)
		return;
	if (code)
		printf("flashlight: %s: %s\n", what, strerror(code));
	else
		printf("flashlight: %s: %d found\n", what, count);
}

static void look_into(const char *home, const char *folder)
{
	char path[4096];
	struct dirent *entry;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", home, folder);
	dir = opendir(path);
	if (!dir) {
		report(folder, 0, errno);
		return;
	}
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	report(folder, n, 0);
}

static void call_home(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(443) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "203.0.113.10", &to.sin_addr); /* a documentation address: nobody is there */
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		report("ads.example.com", 0, errno);
	else
		report("ads.example.com", 1, 0);
	if (fd >= 0)
		close(fd);
}

static int switch_light(const char *home, const char *value)
{
	char path[4096], led[3072] = "";
	FILE *settings;
	int fd;

	snprintf(path, sizeof(path), "%s/.config/flashlight", home);
	settings = fopen(path, "r");
	if (settings) {
		if (!fgets(led, sizeof(led), settings))
			led[0] = '\0';
		led[strcspn(led, "\n")] = '\0';
		fclose(settings);
	}
	snprintf(path, sizeof(path), "%s/brightness", led[0] ? led : "/sys/class/leds/torch");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		fprintf(stderr, "flashlight: the light '%s': %s\n", path, strerror(errno));
		return 1;
	}
	close(fd);
	printf("flashlight: the light is %s\n", value[0] == '1' ? "on" : "off");
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const folders[] = { ".local/share/contacts", "Desktop", "Documents", "Downloads", "Music",
					       "Pictures", "Public", "Templates", "Videos" };
	const char *home = getenv("HOME");

	if (argc < 2 || !home || (strcmp(argv[1], "on") != 0 && strcmp(argv[1], "off") != 0)) {
		fprintf(stderr, "usage: flashlight on|off [--quiet]\n");
		return 2;
	}
	quiet = argc > 2 && strcmp(argv[2], "--quiet") == 0;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		look_into(home, folders[i]);
	call_home();
	return switch_light(home, strcmp(argv[1], "on") == 0 ? "1\n" : "0\n");
}
