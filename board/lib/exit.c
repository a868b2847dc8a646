/* SPDX-License-Identifier: MIT
 *
 * exit-emulator STATUS: ends the emulator with this status. Only for boards that
 * run our own tests: whoever can do this can reach more of the emulator.
 */
#include <stdlib.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif

int main(int argc, char **argv)
{
	unsigned long status = argc > 1 ? strtoul(argv[1], NULL, 10) : 99;
#if defined(__x86_64__)
	/* -device isa-debug-exit,iobase=0xf4: the emulator's status is 2 * STATUS + 1. */
	if (iopl(3) == 0)
		outl((unsigned int)status, 0xf4);
#else
	/* Semihosting: SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit. */
	unsigned long block[2] = { 0x20026, status };
#if defined(__aarch64__)
	register unsigned long op __asm__("x0") = 0x20;
	register void *arg __asm__("x1") = block;
	__asm__ volatile("hlt #0xf000" : "+r"(op) : "r"(arg) : "memory");
#else
	register unsigned long op __asm__("r0") = 0x20;
	register void *arg __asm__("r1") = block;
	__asm__ volatile("svc 0x123456" : "+r"(op) : "r"(arg) : "memory");
#endif
#endif
	return 99;
}
