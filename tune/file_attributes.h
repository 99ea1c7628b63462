/* Who may do what with a file, kept when another takes its place. */
#ifndef TCT_TUNE_FILE_ATTRIBUTES_H
#define TCT_TUNE_FILE_ATTRIBUTES_H

/*
 * Give the open file `to` owner, mode, access list and extended attributes (the SELinux context is
 * one) of the open file `from`, whatever the umask and the folder's default list say. Left out are
 * attributes that tell of the content, and user namespaces don't show trusted.*. Returns 0 or
 * -errno; -EINVAL if from is no regular file.
 */
int tct_file_copy_attributes(int from, int to);

#endif
