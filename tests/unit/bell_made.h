/* SPDX-License-Identifier: MIT
 *
 * A question, as a broker would ask it.
 */
#ifndef TESTS_BELL_MADE_H
#define TESTS_BELL_MADE_H

#include "ui-tty/prompt_view.h"

static inline struct prompt_text a_prompt(void)
{
	struct prompt_text p = { .id = 1,
				 .app = "flashlight",
				 .title = "flashlight 1.2",
				 .source = "file flashlight.deb",
				 .about = "your contacts (42 people)",
				 .program = "flashlight",
				 .answers = { "empty", "copy", "read", "write", "no" },
				 .answer_count = 5 };

	return p;
}

#endif
