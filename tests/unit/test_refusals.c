/* refusals: what was refused is kept with its reason, and shown to its owner. */
#include "index/refusals.h"
#include "tests/unit/music_fixture.h"

TestSuite(refusals, .init = set_up, .fini = tear_down);

static struct actor someone = {1000, 1000, 42, "Music/p/s.json"};

Test(refusals, an_emptied_item_keeps_its_bytes_with_the_rejected)
{
	struct leaf leaf = fixture_item(table, "p", "s");
	struct leaf_write write = {.document = "", .len = 0, .fresh = &fixture_meta, .actor = &someone};
	uint64_t id = 0;
	struct head head;
	cleanup_buf struct buf draft = {0}, lines = {0};
	fixture_write(&leaf, "{\"a\":1}");
	cr_assert_eq(leaf_write(&leaf, &write, NULL, NULL), RC_OK);
	cr_expect(fixture_reads(&leaf, ""));
	cr_assert_eq(refusals_next(volume, 0, &id, &head), RC_OK);
	cr_assert_eq(refusals_get(volume, NULL, id, &head, &draft), RC_OK);
	cr_expect(draft.len == 7 && memcmp(draft.data, "{\"a\":1}", 7) == 0);
	cr_expect_eq(head.meta.uid, 1000);
	cr_assert_eq(refusals_last(volume, "Music/p/s.json", false, 1000, &lines), RC_OK);
	buf_add_byte(&lines, 0);
	cr_expect_not_null(strstr((char *)lines.data, "\"path\":\"Music/p/s.json\""), "%s", lines.data);
	fixture_sound(volume);
	cr_expect_eq(leaf_write(&leaf, &write, NULL, NULL), RC_OK);
	cr_expect_eq(refusals_next(volume, id + 1, &id, &head), RC_NOT_FOUND, "empty over empty replaced nothing");
	cr_expect_eq(refusals_remove(volume, id), RC_OK);
	cr_expect_eq(refusals_remove(volume, id), RC_NOT_FOUND);
	cr_expect_eq(refusals_next(volume, 0, &id, &head), RC_NOT_FOUND);
}

Test(refusals, refusals_are_kept_in_order_and_shown_to_their_owner)
{
	struct why why = {.text = "no \"good\"", .line = 3, .column = 4};
	cleanup_buf struct buf draft = {0}, lines = {0}, others = {0};
	struct refusal refusal = {.actor = &someone, .error = "EBADMSG", .why = &why, .draft = &draft};
	uint64_t first = 0, second = 0;
	struct actor other = {7, 7, 43, "bad \xff name"};
	struct head head;
	buf_resize(&draft, 5000);
	cr_assert_eq(refusals_add(volume, &refusal, &first), RC_OK);
	uint64_t again = first;
	buf_resize(&draft, 10);
	cr_assert_eq(refusals_add(volume, &refusal, &again), RC_OK);
	cr_expect_eq(again, first);
	refusal.actor = &other;
	refusal.draft = NULL;
	cr_assert_eq(refusals_add(volume, &refusal, &second), RC_OK);
	cr_expect_gt(second, first);
	remount();
	cr_assert_eq(refusals_lines(volume, true, 0, NULL, &lines), RC_OK);
	cr_assert_eq(refusals_lines(volume, false, 7, NULL, &others), RC_OK);
	buf_add_byte(&lines, 0);
	buf_add_byte(&others, 0);
	char *mine = strstr((char *)lines.data, "\"pid\":42"), *theirs = strstr((char *)lines.data, "\"pid\":43");
	cr_expect(mine && theirs && mine < theirs, "%s", lines.data);
	cr_expect_null(strstr((char *)others.data, "\"pid\":42"));
	cr_expect_not_null(strstr((char *)others.data, "bad \xef\xbf\xbd name"), "%s", others.data);
	cr_expect_not_null(strstr((char *)lines.data, "\"reason\":\"line 3, column 4: no \\\"good\\\"\""), "%s",
			   lines.data);
	cr_assert_eq(refusals_get(volume, NULL, first, &head, NULL), RC_OK);
	cr_expect_eq(head.size, 10);
}

Test(refusals, the_oldest_refusals_go_first)
{
	struct why why = {.text = "no"};
	cleanup_buf struct buf draft = {0};
	struct refusal refusal = {.actor = &someone, .error = "EBADMSG", .why = &why, .draft = &draft};
	uint64_t first = 0, id;
	struct head head;
	size_t n = 0;
	buf_add_text(&draft, "x");
	for (int i = 0; i < REFUSALS_KEPT + 5; i++) {
		id = 0;
		cr_assert_eq(refusals_add(volume, &refusal, &id), RC_OK);
		first = first ? first : id;
	}
	for (id = 0; refusals_next(volume, id, &id, &head) == RC_OK; id++)
		n += id >= first + 5;
	cr_expect_eq(n, REFUSALS_KEPT);
	cleanup_buf struct buf lines = {0};
	cr_assert_eq(refusals_lines(volume, true, 0, NULL, &lines), RC_OK);
	n = 0;
	for (size_t i = 0; i < lines.len; i++)
		n += lines.data[i] == '\n';
	cr_expect_eq(n, REFUSALS_LINES + 5 - REFUSALS_STEP);
}

static size_t count_lines(const struct buf *lines)
{
	size_t n = 0;
	for (size_t i = 0; i < lines->len; i++)
		n += lines->data[i] == '\n';
	return n;
}

Test(refusals, who_follows_the_lines_is_told_each_once_whatever_goes_at_their_front)
{
	struct why why = {.text = "no"};
	struct refusal refusal = {.actor = &someone, .error = "EBADMSG", .why = &why};
	cleanup_buf struct buf lines = {0};
	uint64_t id = 0, after = 0, others = 0;
	cr_expect_eq(refusals_changed(volume), 0);
	cr_assert_eq(refusals_lines(volume, true, 0, &after, &lines), RC_OK);
	cr_expect_eq(lines.len, 0);
	cr_assert_eq(refusals_add(volume, &refusal, &id), RC_OK);
	cr_expect_gt(refusals_changed(volume), 0);
	for (int i = 0; i < REFUSALS_LINES + 20; i++) {
		buf_clear(&lines);
		cr_assert_eq(refusals_lines(volume, true, 0, &after, &lines), RC_OK);
		cr_assert_eq(count_lines(&lines), 1);
		cr_assert_eq(after, id);
		id = 0;
		cr_assert_eq(refusals_add(volume, &refusal, &id), RC_OK);
	}
	buf_clear(&lines);
	cr_assert_eq(refusals_lines(volume, false, 7, &others, &lines), RC_OK);
	cr_expect_eq(lines.len, 0, "of somebody else");
	cr_expect_eq(others, id, "and not looked at again");
	remount();
	cr_assert_eq(refusals_lines(volume, true, 0, &after, &lines), RC_OK);
	cr_expect_eq(count_lines(&lines), 1, "the last");
	buf_clear(&lines);
	cr_assert_eq(refusals_lines(volume, true, 0, &after, &lines), RC_OK);
	cr_expect_eq(lines.len, 0);
}
