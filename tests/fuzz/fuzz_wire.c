/* SPDX-License-Identifier: MIT
 *
 * Bodies of internal messages: the first byte chooses the decoder.
 */
#include "proto/launch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct prepare prepare;
	struct session_hello hello;
	struct launch launch;
	struct run run;
	struct rd r;

	if (size == 0)
		return 0;
	rd_init(&r, data + 1, size - 1);
	switch (data[0] & 3) {
	case 0:
		if (launch_decode(&r, &launch) && launch.layer_count > LAYERS_MAX)
			abort();
		break;
	case 1:
		(void)prepare_decode(&r, &prepare);
		break;
	case 2:
		(void)session_hello_decode(&r, &hello);
		break;
	case 3:
		if (run_decode(&r, &run) && !run.argv[0])
			abort();
		run_finish(&run);
		break;
	}
	return 0;
}
