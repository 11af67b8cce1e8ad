/* memo: see memo.h. While a commit is under way nothing is known: others may have been told of it already. */
#include "fs/memo.h"
#include "fs/front.h"
#include <string.h>

void memo_init(struct memo *memo)
{
	*memo = (struct memo){.directory = UINT64_MAX}; /* no node's serial */
	pthread_mutex_init(&memo->lock, NULL);
}

void memo_destroy(struct memo *memo)
{
	pthread_mutex_destroy(&memo->lock);
}

void memo_set_absent(struct frontend *front, const struct node *partition, const char *name, uint64_t sequence)
{
	struct memo *memo = &front->memo;
	size_t n = strlen(name) + 1;
	if (n > sizeof memo->name)
		return;
	pthread_mutex_lock(&memo->lock);
	memo->directory = partition->serial;
	memo->sequence = sequence;
	memcpy(memo->name, name, n);
	pthread_mutex_unlock(&memo->lock);
}

bool memo_is_absent(struct frontend *front, const struct node *partition, const char *name)
{
	struct memo *memo = &front->memo;
	pthread_mutex_lock(&memo->lock);
	bool is = memo->directory == partition->serial && volume_stands(front->volume, memo->sequence) && strcmp(memo->name, name) == 0;
	pthread_mutex_unlock(&memo->lock);
	return is;
}
