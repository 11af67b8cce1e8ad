/* The runner's main: Criterion's own, with mounts that an earlier or a crashed test left behind cleared away, and two tests at a time, as
 * each is a daemon with threads of its own. */
#include "tests/mount/leftovers.h"
#include <criterion/criterion.h>
#include <criterion/options.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	leftovers_clear(0);
	struct criterion_test_set *tests = criterion_initialize();
	criterion_options.jobs = 2;
	int status = 0;
	if (criterion_handle_args(argc, argv, true))
		status = !criterion_run_all_tests(tests);
	criterion_finalize(tests);
	if (leftovers_told(getpid()))
		status = 1;
	leftovers_clear(getpid());
	return status;
}
