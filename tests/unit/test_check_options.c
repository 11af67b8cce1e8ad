/* Sentences about the command line of fsck.itemfs. */
#include "fs/check_options.h"
#include "tests/unit/arguments.h"

#include <criterion/criterion.h>

static enum rc parse_check_all(const char *const *given, struct check_options *ret_options, struct why *why)
{
	struct arguments a = arguments_of("fsck.itemfs", given);

	return check_options_parse(a.argc, a.argv, ret_options, why);
}

#define PARSE_CHECK(options, why, ...) parse_check_all((const char *const[]){__VA_ARGS__, NULL}, options, why)

Test(check_options, a_volume_is_enough)
{
	struct check_options options;

	cr_assert_eq(PARSE_CHECK(&options, NULL, "vol"), RC_OK);
	cr_assert_str_eq(options.volume, "vol");
	cr_assert(!options.verbose && !options.repair && !options.help && !options.version);
}

Test(check_options, letters_may_be_joined_and_stand_anywhere)
{
	struct check_options options;

	cr_assert_eq(PARSE_CHECK(&options, NULL, "vol", "-nvf"), RC_OK);
	cr_assert_str_eq(options.volume, "vol");
	cr_assert(options.verbose && !options.repair);
	cr_assert_eq(PARSE_CHECK(&options, NULL, "-n", "--", "-vol"), RC_OK);
	cr_assert_str_eq(options.volume, "-vol");
	cr_assert(!options.verbose);
}

Test(check_options, a_repair_is_what_is_asked_for_as_such)
{
	static const struct {
		const char *words[2];
		bool repair;
	} cases[] = {{{"-y", "-f"}, true},       {{"--repair", "-v"}, true}, {{"-a", "-f"}, false},
		     {{"-p", "-f"}, false}, {{"-y", "-n"}, false},      {{"-n", "--repair"}, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct check_options options;

		cr_assert_eq(PARSE_CHECK(&options, NULL, cases[i].words[0], cases[i].words[1], "vol"), RC_OK);
		cr_expect_eq(options.repair, cases[i].repair, "%s %s", cases[i].words[0], cases[i].words[1]);
	}
}

Test(check_options, help_and_version_need_no_volume)
{
	struct check_options options;

	cr_assert_eq(PARSE_CHECK(&options, NULL, "-h"), RC_OK);
	cr_assert(options.help && options.volume == NULL);
	cr_assert_eq(PARSE_CHECK(&options, NULL, "--version"), RC_OK);
	cr_assert(options.version);
}

Test(check_options, wrong_use_is_named)
{
	struct check_options options = {.volume = "untouched"};
	struct why why;

	cr_assert_eq(PARSE_CHECK(&options, &why, "-v"), RC_INVALID);
	cr_assert_str_eq(why.text, "VOLUME is missing");
	cr_assert_eq(PARSE_CHECK(&options, &why, "-nx", "vol"), RC_INVALID);
	cr_assert_str_eq(why.text, "unknown option '-x'");
	cr_assert_eq(PARSE_CHECK(&options, &why, "vol", "--fix"), RC_INVALID);
	cr_assert_str_eq(why.text, "unknown option '--fix'");
	cr_assert_eq(PARSE_CHECK(&options, &why, "vol", "vol2"), RC_INVALID);
	cr_assert_str_eq(why.text, "one argument too many: 'vol2'");
	cr_assert_str_eq(options.volume, "untouched");
}
