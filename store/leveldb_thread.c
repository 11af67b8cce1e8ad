/* leveldb_thread: a name for the thread with which LevelDB merges its tables.
 *
 * LevelDB starts it in the first call that needs one, and a thread begins with the name of the one that starts it: so who may do it has the right one
 * meanwhile. Not so in reads, which set a merge going, too, when there were many in vain: one is over before two names are set.
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
