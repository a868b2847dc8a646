/* SPDX-License-Identifier: MIT
 *
 * One epoll loop a process, no threads. Sources are objects: whoever adds one
 * owns it and removes it; removing from inside any callback is allowed, also
 * the source that is being dispatched. Callbacks never block.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/err.h"

#include <stdint.h>

struct loop;
struct loop_source;

typedef void (*loop_fd_fn)(void *data, uint32_t epoll_events);
typedef void (*loop_fn)(void *data);
typedef void (*loop_signal_fn)(void *data, int signo);

/* NULL with errno. Blocks nothing and installs no signal handlers yet. */
struct loop *loop_create(void);
void loop_destroy(struct loop *loop);

/* fd is borrowed: the caller closes it after loop_remove. events are EPOLLIN
 * and friends. NULL with errno. */
struct loop_source *loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn, void *data);
int loop_set_events(struct loop_source *source, uint32_t events);

/* One-shot timer on CLOCK_BOOTTIME, delay_ms from now: counts suspended time,
 * as grants do. After it fired the source must still be removed. */
struct loop_source *loop_add_timer(struct loop *loop, uint64_t delay_ms, loop_fn fn, void *data);

/* Blocks signo for the process and delivers it here (signalfd). Children must
 * unblock it again before exec. */
struct loop_source *loop_add_signal(struct loop *loop, int signo, loop_signal_fn fn, void *data);

/* Calls fn once, after the current batch of events. */
struct loop_source *loop_add_later(struct loop *loop, loop_fn fn, void *data);

/* Takes the source out and frees it. NULL is allowed. */
void loop_remove(struct loop_source *source);

/* Runs until loop_stop. Returns the code given to it, or -1 with errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int code);

/* CLOCK_BOOTTIME in milliseconds; the wall clock in milliseconds for display. */
uint64_t loop_boot_ms(void);
uint64_t loop_wall_ms(void);

#endif
