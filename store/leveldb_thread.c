/* leveldb_thread: a name for the thread with which LevelDB merges its tables.
 *
 * LevelDB starts it in the first call that needs it, and a thread begins with the name of the thread that starts it: so a call that may start it is
 * made under the name that the new thread is to have. Reads are not, though many reads in vain set a merge going, too: setting two names takes longer
 * than a read.
 */
#include "store/leveldb_private.h"

struct own_name store_lend_name(void)
{
	struct own_name own;

	if (pthread_getname_np(pthread_self(), own.text, sizeof(own.text)) != 0)
		own.text[0] = 0;
	pthread_setname_np(pthread_self(), "itemfs-store");
	return own;
}

void store_take_name_back(const struct own_name *own)
{
	pthread_setname_np(pthread_self(), own->text);
}
