/* orphans: see orphans.h. */
#include "store/orphans.h"
#include "store/manifest.h"
#include "store/oserror.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rc walk(int dir, const struct manifest *manifest, bool remove, uint64_t *bytes)
{
	struct dirent *entry;
	uint64_t number;
	struct stat st;
	enum rc rc = RC_OK;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);

	if (!listing) {
		rc = rc_of_errno(errno);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while ((entry = readdir(listing))) {
		if (!table_number(entry->d_name, &number) || manifest_counts(manifest, number))
			continue;
		if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			*bytes += (uint64_t)st.st_blocks * 512;
		if (remove && unlinkat(dir, entry->d_name, 0) < 0 && errno != ENOENT)
			rc = rc_of_errno(errno);
	}
	closedir(listing);
	return rc;
}

static enum rc orphans(int dir, bool remove, uint64_t *bytes)
{
	struct manifest manifest;
	enum rc rc = manifest_read(dir, &manifest);

	if (rc)
		return rc;
	rc = walk(dir, &manifest, remove, bytes);
	manifest_free(&manifest);
	return rc;
}

enum rc orphans_bytes(int dir, uint64_t *ret_bytes)
{
	*ret_bytes = 0;
	return orphans(dir, false, ret_bytes);
}

enum rc orphans_remove(int dir)
{
	uint64_t bytes = 0;

	return orphans(dir, true, &bytes);
}
