/* rc: the one way in which functions of itemfs say how it went.
 *
 * Zero is success; everything else is a reason that a caller can act on. What a reason is called in
 * errno, HTTP or an exit status is decided once by each front end (fs/reply.c for FUSE), never here.
 * Where a user's input is refused, the words for it go into a struct why (why.h).
 */
#ifndef ITEMFS_RC_H
#define ITEMFS_RC_H

enum rc {
	RC_OK = 0,
	RC_NOT_FOUND,     /* no such table, partition, item, file, row */
	RC_EXISTS,        /* there is one already, and the caller asked for a new one */
	RC_NOT_EMPTY,     /* a table or partition that still holds something */
	RC_INVALID,       /* a name, a query or an argument that can never be right */
	RC_REFUSED,       /* a document that breaks a rule: JSON's, DynamoDB's, or the table's */
	RC_UNFINISHED,    /* a document that is right so far, and ends too early */
	RC_TOO_BIG,       /* a document, item or file over its limit */
	RC_NAME_TOO_LONG, /* a name over 255 bytes */
	RC_NOT_UTF8,      /* a name that should be UTF-8 and is not */
	RC_READ_ONLY,     /* a change of something that is computed */
	RC_FORBIDDEN,     /* a change that nobody may make, whatever their rights */
	RC_BUSY,          /* in use by somebody else; asking again now is no use */
	RC_AGAIN,         /* not yet; asking again later is of use */
	RC_INTERRUPTED,   /* whoever asked does not want it any more */
	RC_CROSS,         /* too large or too far to be moved in one commit */
	RC_TOO_MANY,      /* a bound on how many there may be is reached */
	RC_STALE,         /* the thing that was meant is gone, though its name may be taken again */
	RC_UNSUPPORTED,   /* understood, and not offered */
	RC_NO_SPACE,      /* the disk is full */
	RC_NO_MEMORY,
	RC_IO,            /* the disk failed */
	RC_CORRUPT,       /* bytes on the disk are not what was written there */
};

/* The constant's own name ("RC_NOT_FOUND"), for messages and tests; never NULL. */
const char *rc_name(enum rc rc);

#endif
