/* What the counted process says to valgrind: begin to count, and write down what was counted since.
 *
 * Built when it is needed: gcc -shared -fPIC. Outside of valgrind all of it does nothing.
 */
#include <valgrind/callgrind.h>
#include <valgrind/valgrind.h>

int under_valgrind(void) { return RUNNING_ON_VALGRIND != 0; }

/* From here on every instruction is counted, which makes the program some fifty times slower; before, five times. */
void count(void) { CALLGRIND_START_INSTRUMENTATION; }

/* Back to the quicker way. */
void pause_counting(void) { CALLGRIND_STOP_INSTRUMENTATION; }

void begin(void) { CALLGRIND_ZERO_STATS; }

/* Writes a file whose "desc: Trigger" line has `name`. */
void end(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }
