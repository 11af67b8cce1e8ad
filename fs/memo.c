/* memo: see memo.h. A commit that is under way and not counted yet is one that nobody was told of: what was read before it may still be said. */
#include "fs/memo.h"
#include "fs/place.h"
#include "index/partition.h"
#include <string.h>

void memo_init(struct memo *memo)
{
	*memo = (struct memo){.partition.directory = UINT64_MAX, .absent.directory = UINT64_MAX}; /* no node's serial */
	pthread_mutex_init(&memo->lock, NULL);
}

void memo_destroy(struct memo *memo)
{
	pthread_mutex_destroy(&memo->lock);
}

enum rc memo_partition(struct frontend *front, const struct node *node, const struct place *place, struct partition_record *ret_record)
{
	struct memo *memo = &front->memo;
	uint64_t now = volume_sequence(front->volume);
	pthread_mutex_lock(&memo->lock);
	bool known = memo->partition.directory == node->serial && memo->partition.sequence == now;
	if (known)
		*ret_record = memo->partition.record;
	pthread_mutex_unlock(&memo->lock);
	if (known)
		return RC_OK;
	enum rc rc = partition_get(place->table, NULL, &place->leaf.pk, ret_record);
	if (rc)
		return rc;
	pthread_mutex_lock(&memo->lock);
	memo->partition.directory = node->serial;
	memo->partition.sequence = now;
	memo->partition.record = *ret_record;
	pthread_mutex_unlock(&memo->lock);
	return RC_OK;
}

void memo_set_absent(struct frontend *front, const struct node *partition, const char *name, uint64_t sequence)
{
	struct memo *memo = &front->memo;
	size_t n = strlen(name) + 1;
	if (n > sizeof memo->absent.name)
		return;
	pthread_mutex_lock(&memo->lock);
	memo->absent.directory = partition->serial;
	memo->absent.sequence = sequence;
	memcpy(memo->absent.name, name, n);
	pthread_mutex_unlock(&memo->lock);
}

bool memo_is_absent(struct frontend *front, const struct node *partition, const char *name)
{
	struct memo *memo = &front->memo;
	uint64_t now = volume_sequence(front->volume);
	pthread_mutex_lock(&memo->lock);
	bool is = memo->absent.directory == partition->serial && memo->absent.sequence == now && strcmp(memo->absent.name, name) == 0;
	pthread_mutex_unlock(&memo->lock);
	return is;
}
