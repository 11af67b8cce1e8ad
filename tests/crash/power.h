/* power: what power.c tells test_power.c of the disk, as records one after another in a file. */
#ifndef ITEMFS_TESTS_POWER_H
#define ITEMFS_TESTS_POWER_H

#include <sys/types.h>

enum power_event {
	POWER_SYNCED,   /* a file is on the disk up to `length` */
	POWER_NAMED,    /* its name is on the disk */
	POWER_UNLINKED, /* its inode may come again as another file's */
};

struct power_note {
	enum power_event event;
	ino_t inode;
	off_t length; /* bytes */
};

#endif
