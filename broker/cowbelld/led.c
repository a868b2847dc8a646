/* SPDX-License-Identifier: MIT
 *
 * LEDs. Their attributes lie in sysfs, where owners cannot be mapped: while a
 * session uses one, the attributes that make light belong to a group that only
 * sessions are in, and a session reaches them only through its own gate. The
 * last user's leaving puts back owner, mode, brightness and trigger.
 */
#include "cowbelld/daemon.h"

#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What makes light. Not "trigger": it loads modules, and a timer would go on. */
static const char *const attributes[] = { "brightness", "flash_brightness", "flash_strobe", "flash_timeout" };

struct led_use {
	struct led_use *next;
	uint64_t session;
};

struct led {
	struct led *next;
	uint16_t gate;
	char path[PATH_SIZE];
	struct led_use *uses;
	char brightness[32], trigger[64]; /* before the first use */
};

static int open_led(const struct led *led)
{
	return open(led->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void read_text(int dir, const char *name, char *buf, size_t size)
{
	cleanup_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : fd_read_full(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

static void write_text(int dir, const char *name, const char *text)
{
	cleanup_fd int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		log_warn("LED attribute '%s' is not put back: %s", name, strerror(errno));
}

/* Of "none [timer] heartbeat" the one in brackets. */
static void read_trigger(int dir, char *buf, size_t size)
{
	char all[4096], *open, *close;

	read_text(dir, "trigger", all, sizeof(all));
	open = strchr(all, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close)
		*close = '\0';
	(void)snprintf(buf, size, "%.60s", close ? open + 1 : "none");
}

static int share(int dir, gid_t gid, mode_t mode)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		struct stat st;

		if (fstatat(dir, attributes[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (fchownat(dir, attributes[i], 0, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		    fchmodat(dir, attributes[i], mode, 0) < 0)
			return -1;
	}
	return 0;
}

static void put_back(struct led *led)
{
	cleanup_fd int dir = open_led(led);
	char now[64];

	if (dir < 0)
		return; /* it was unplugged, and its attributes with it */
	if (share(dir, 0, 0644) < 0)
		log_warn("LED '%s' still belongs to apps: %s", led->path, strerror(errno));
	write_text(dir, "brightness", led->brightness);
	read_trigger(dir, now, sizeof(now));
	if (strcmp(now, led->trigger) != 0)
		write_text(dir, "trigger", led->trigger);
}

void led_add(struct daemon *d, uint16_t gate, const char *path)
{
	struct led *led = xcalloc(1, sizeof(*led));
	cleanup_fd int dir = -1;
	struct stat st;

	led->gate = gate;
	led->next = d->leds;
	(void)snprintf(led->path, sizeof(led->path), "%s", path);
	d->leds = led;
	dir = open_led(led);
	if (dir < 0 || fstatat(dir, "brightness", &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_gid != d->device_gid)
		return;
	/* A cowbelld that was killed could not do it. Nobody knows any more how
	 * bright it was; dark is what saves the battery. */
	(void)snprintf(led->brightness, sizeof(led->brightness), "0");
	read_trigger(dir, led->trigger, sizeof(led->trigger));
	put_back(led);
	log_info("LED '%s' is switched off: the last cowbelld could not do it", path);
}

static struct led *find_led(struct daemon *d, uint16_t gate)
{
	for (struct led *led = d->leds; led; led = led->next) {
		if (led->gate == gate)
			return led;
	}
	return NULL;
}

int led_take(struct daemon *d, uint64_t session, uint16_t gate, struct err *err)
{
	struct led *led = find_led(d, gate);
	struct led_use *use;
	cleanup_fd int dir = -1;

	if (!led)
		return 0;
	for (use = led->uses; use; use = use->next) {
		if (use->session == session)
			return 0;
	}
	if (!led->uses) {
		dir = open_led(led);
		if (dir < 0)
			return err_sys(err, "open the LED '%s'", led->path);
		read_text(dir, "brightness", led->brightness, sizeof(led->brightness));
		read_trigger(dir, led->trigger, sizeof(led->trigger));
		if (share(dir, d->device_gid, 0664) < 0) {
			err_sys(err, "let apps set the LED '%s'", led->path);
			put_back(led);
			return -1;
		}
	}
	use = xcalloc(1, sizeof(*use));
	use->session = session;
	use->next = led->uses;
	led->uses = use;
	return 0;
}

void led_give_back(struct daemon *d, uint64_t session, uint16_t gate)
{
	for (struct led *led = d->leds; led; led = led->next) {
		for (struct led_use **p = &led->uses; *p;) {
			struct led_use *use = *p;

			if (use->session != session || (gate && gate != led->gate)) {
				p = &use->next;
				continue;
			}
			*p = use->next;
			free(use);
			if (!led->uses)
				put_back(led);
		}
	}
}

void led_finish(struct daemon *d)
{
	while (d->leds) {
		struct led *led = d->leds;

		while (led->uses)
			led_give_back(d, led->uses->session, led->gate);
		d->leds = led->next;
		free(led);
	}
}
