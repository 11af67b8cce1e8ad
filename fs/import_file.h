/* import_file: requests about the files of a table's `.import` directory (upload.h). The other files of the front end send them here. */
#ifndef ITEMFS_IMPORT_FILE_H
#define ITEMFS_IMPORT_FILE_H

#include "fs/handle.h"

void import_lookup(fuse_req_t req, struct node *directory, const char *name);
void import_create(fuse_req_t req, struct node *directory, const char *name, mode_t mode, struct fuse_file_info *fi);
void import_unlink(fuse_req_t req, struct node *directory, const char *name);
/* One of the two is an `.import`. */
void import_rename(fuse_req_t req, struct node *from, const char *name, struct node *to, const char *to_name, unsigned flags);
/* `size` NULL: it stays. */
void import_setattr(fuse_req_t req, struct node *node, const struct meta_change *change, const uint64_t *size, struct fuse_file_info *fi);

void import_open(fuse_req_t req, struct node *node, struct fuse_file_info *fi);
void import_read(fuse_req_t req, struct handle *handle, size_t size, off_t offset);
void import_write(fuse_req_t req, struct handle *handle, const char *bytes, size_t size, off_t offset);
/* A close: it imports. */
void import_flush(fuse_req_t req, struct handle *handle, bool durable);
/* The end of a handle, which is freed: what no close could import is refused. */
void import_release(struct frontend *front, struct handle *handle);
/* The mount ends while it is open. */
void import_abandon(struct frontend *front, struct handle *handle);

#endif
