/* SPDX-License-Identifier: MIT
 *
 * A flashlight as the complaints describe it: it switches a light, and on the
 * way looks into your contacts, your files and the network.
 *
 *   flashlight on|off [--quiet] [--for SECONDS]
 *
 * With --for it stays and keeps the light on for so long. The light is the folder
 * that its own settings file names, else the LED below /sys/class/leds that is
 * called a flash or a torch, else the first one there.
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

static void find_light(const char *home, char *led, size_t size)
{
	char path[4096];
	struct dirent *entry;
	FILE *settings;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/.config/flashlight", home);
	settings = fopen(path, "r");
	if (settings) {
		if (!fgets(led, (int)size, settings))
			led[0] = '\0';
		led[strcspn(led, "\n")] = '\0';
		fclose(settings);
	}
	dir = led[0] ? NULL : opendir("/sys/class/leds");
	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		int flash = strstr(name, ":flash") || strstr(name, ":torch");

		if (name[0] != '.' && (flash || !led[0]))
			snprintf(led, size, "/sys/class/leds/%s", name);
	}
	if (dir)
		closedir(dir);
	if (!led[0])
		snprintf(led, size, "/sys/class/leds/torch");
}

static int switch_light(const char *home, const char *value)
{
	char path[4096], led[3072] = "";
	int fd;

	find_light(home, led, sizeof(led));
	snprintf(path, sizeof(path), "%s/brightness", led);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		fprintf(stderr, "flashlight: the light '%s': %s\n", path, strerror(errno));
		return 1;
	}
	close(fd);
	printf("flashlight: the light is %s\n", value[0] == '1' ? "on" : "off");
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const folders[] = { ".local/share/contacts", "Desktop", "Documents", "Downloads", "Music",
					       "Pictures", "Public", "Templates", "Videos" };
	const char *home = getenv("HOME");
	int status, seconds = 0;

	if (argc < 2 || !home || (strcmp(argv[1], "on") != 0 && strcmp(argv[1], "off") != 0)) {
		fprintf(stderr, "usage: flashlight on|off [--quiet] [--for SECONDS]\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--quiet") == 0)
			quiet = 1;
		else if (strcmp(argv[i], "--for") == 0 && i + 1 < argc)
			seconds = atoi(argv[++i]);
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		look_into(home, folders[i]);
	call_home();
	status = switch_light(home, strcmp(argv[1], "on") == 0 ? "1\n" : "0\n");
	if (status == 0 && seconds > 0) {
		sleep((unsigned int)seconds);
		status = switch_light(home, "0\n");
	}
	return status;
}
