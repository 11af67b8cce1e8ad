/* engine_log: what LevelDB notes of its tables in VOLUME/db/LOG, line by line as it goes, so that a test can wait for a memtable that becomes a table, or for a
 * merge of tables, and can say that there was one. The notes begin anew with each opening of the volume, fsck's too. */
#ifndef ITEMFS_TESTS_ENGINE_LOG_H
#define ITEMFS_TESTS_ENGINE_LOG_H

struct engine_log {
	unsigned tables, tables_done; /* memtables that began to become tables, also when a log was read again; and that are tables */
	unsigned merges, merges_done;
};

/* Nothing of all that where there are no notes. */
struct engine_log engine_log_of(const char *volume);

#endif
