/* requests: see requests.h. */
#include "fs/requests.h"
#include "fs/front.h"
#include <time.h>

static const char *const names[REQUEST_KINDS] = {
    [REQUEST_LOOKUP] = "lookup",
    [REQUEST_FORGET] = "forget",
    [REQUEST_GETATTR] = "getattr",
    [REQUEST_SETATTR] = "setattr",
    [REQUEST_MKNOD] = "mknod",
    [REQUEST_MKDIR] = "mkdir",
    [REQUEST_UNLINK] = "unlink",
    [REQUEST_RMDIR] = "rmdir",
    [REQUEST_SYMLINK] = "symlink",
    [REQUEST_RENAME] = "rename",
    [REQUEST_LINK] = "link",
    [REQUEST_OPEN] = "open",
    [REQUEST_CREATE] = "create",
    [REQUEST_READ] = "read",
    [REQUEST_WRITE] = "write",
    [REQUEST_FLUSH] = "flush",
    [REQUEST_RELEASE] = "release",
    [REQUEST_FSYNC] = "fsync",
    [REQUEST_FALLOCATE] = "fallocate",
    [REQUEST_OPENDIR] = "opendir",
    [REQUEST_READDIR] = "readdir",
    [REQUEST_READDIRPLUS] = "readdirplus",
    [REQUEST_RELEASEDIR] = "releasedir",
    [REQUEST_FSYNCDIR] = "fsyncdir",
    [REQUEST_STATFS] = "statfs",
    [REQUEST_GETXATTR] = "getxattr",
    [REQUEST_SETXATTR] = "setxattr",
    [REQUEST_LISTXATTR] = "listxattr",
    [REQUEST_REMOVEXATTR] = "removexattr",
};

const char *request_name(enum request_kind kind)
{
	return names[kind];
}

static uint64_t clock_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* measured_CALL: the same request with the clock around it. The front end is asked for before: an answered request is gone. */
#define MEASURED(kind, call, parameters, arguments)                                                                                              \
	static void measured_##call parameters                                                                                                   \
	{                                                                                                                                        \
		struct latency *latency = &front_of(req)->requests.latency[kind];                                                                \
		uint64_t began = clock_ns();                                                                                                     \
		call arguments;                                                                                                                  \
		latency_add(latency, clock_ns() - began);                                                                                        \
	}

#define FILE_INFO struct fuse_file_info *fi

MEASURED(REQUEST_LOOKUP, lookup_request, (fuse_req_t req, fuse_ino_t parent, const char *name), (req, parent, name))
MEASURED(REQUEST_FORGET, lookup_forget, (fuse_req_t req, fuse_ino_t ino, uint64_t lookups), (req, ino, lookups))
MEASURED(REQUEST_FORGET, lookup_forget_multi, (fuse_req_t req, size_t count, struct fuse_forget_data *forgets), (req, count, forgets))
MEASURED(REQUEST_GETATTR, attr_get, (fuse_req_t req, fuse_ino_t ino, FILE_INFO), (req, ino, fi))
MEASURED(REQUEST_SETATTR, attr_set, (fuse_req_t req, fuse_ino_t ino, struct stat *attr, int which, FILE_INFO), (req, ino, attr, which, fi))
MEASURED(REQUEST_MKNOD, names_mknod, (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device),
	 (req, parent, name, mode, device))
MEASURED(REQUEST_MKDIR, names_mkdir, (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode), (req, parent, name, mode))
MEASURED(REQUEST_UNLINK, names_unlink, (fuse_req_t req, fuse_ino_t parent, const char *name), (req, parent, name))
MEASURED(REQUEST_RMDIR, names_rmdir, (fuse_req_t req, fuse_ino_t parent, const char *name), (req, parent, name))
MEASURED(REQUEST_SYMLINK, names_symlink, (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name), (req, target, parent, name))
MEASURED(REQUEST_RENAME, rename_request,
	 (fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *to_name, unsigned flags),
	 (req, parent, name, to, to_name, flags))
MEASURED(REQUEST_LINK, names_link, (fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name), (req, ino, parent, name))
MEASURED(REQUEST_OPEN, file_open, (fuse_req_t req, fuse_ino_t ino, FILE_INFO), (req, ino, fi))
MEASURED(REQUEST_CREATE, file_create, (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, FILE_INFO),
	 (req, parent, name, mode, fi))
MEASURED(REQUEST_READ, file_read, (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, FILE_INFO), (req, ino, size, offset, fi))
MEASURED(REQUEST_WRITE, file_write, (fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset, FILE_INFO),
	 (req, ino, bytes, size, offset, fi))
MEASURED(REQUEST_FLUSH, file_flush, (fuse_req_t req, fuse_ino_t ino, FILE_INFO), (req, ino, fi))
MEASURED(REQUEST_RELEASE, file_release, (fuse_req_t req, fuse_ino_t ino, FILE_INFO), (req, ino, fi))
MEASURED(REQUEST_FSYNC, file_fsync, (fuse_req_t req, fuse_ino_t ino, int datasync, FILE_INFO), (req, ino, datasync, fi))
MEASURED(REQUEST_FALLOCATE, file_fallocate, (fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, FILE_INFO),
	 (req, ino, mode, offset, length, fi))
MEASURED(REQUEST_OPENDIR, dir_open, (fuse_req_t req, fuse_ino_t ino, FILE_INFO), (req, ino, fi))
MEASURED(REQUEST_READDIR, dir_read, (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, FILE_INFO), (req, ino, size, offset, fi))
MEASURED(REQUEST_READDIRPLUS, dir_readplus, (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, FILE_INFO),
	 (req, ino, size, offset, fi))
MEASURED(REQUEST_RELEASEDIR, dir_release, (fuse_req_t req, fuse_ino_t ino, FILE_INFO), (req, ino, fi))
MEASURED(REQUEST_FSYNCDIR, dir_fsync, (fuse_req_t req, fuse_ino_t ino, int datasync, FILE_INFO), (req, ino, datasync, fi))
MEASURED(REQUEST_STATFS, attr_statfs, (fuse_req_t req, fuse_ino_t ino), (req, ino))
MEASURED(REQUEST_GETXATTR, xattr_get, (fuse_req_t req, fuse_ino_t ino, const char *name, size_t size), (req, ino, name, size))
MEASURED(REQUEST_SETXATTR, xattr_set, (fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags),
	 (req, ino, name, value, size, flags))
MEASURED(REQUEST_LISTXATTR, xattr_list, (fuse_req_t req, fuse_ino_t ino, size_t size), (req, ino, size))
MEASURED(REQUEST_REMOVEXATTR, xattr_remove, (fuse_req_t req, fuse_ino_t ino, const char *name), (req, ino, name))

const struct fuse_lowlevel_ops frontend_ops = {
    .init = frontend_init,
    .lookup = measured_lookup_request,
    .forget = measured_lookup_forget,
    .forget_multi = measured_lookup_forget_multi,
    .getattr = measured_attr_get,
    .setattr = measured_attr_set,
    .mknod = measured_names_mknod,
    .mkdir = measured_names_mkdir,
    .unlink = measured_names_unlink,
    .rmdir = measured_names_rmdir,
    .symlink = measured_names_symlink,
    .rename = measured_rename_request,
    .link = measured_names_link,
    .open = measured_file_open,
    .create = measured_file_create,
    .read = measured_file_read,
    .write = measured_file_write,
    .flush = measured_file_flush,
    .release = measured_file_release,
    .fsync = measured_file_fsync,
    .fallocate = measured_file_fallocate,
    .opendir = measured_dir_open,
    .readdir = measured_dir_read,
    .readdirplus = measured_dir_readplus,
    .releasedir = measured_dir_release,
    .fsyncdir = measured_dir_fsync,
    .statfs = measured_attr_statfs,
    .getxattr = measured_xattr_get,
    .setxattr = measured_xattr_set,
    .listxattr = measured_xattr_list,
    .removexattr = measured_xattr_remove,
};
