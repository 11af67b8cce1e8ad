/* imports: what the tests of TABLE/.import share: a declared table Music, some lines to import, and questions about what came of them. */
#ifndef ITEMFS_TESTS_IMPORTS_H
#define ITEMFS_TESTS_IMPORTS_H

#define LIAR "{\"Artist\":\"Queen\",\"Title\":\"Liar\",\"Year\":1973}"
#define SOS "{\"Artist\":\"ABBA\",\"Title\":\"SOS\",\"Year\":1975}"
#define TYPED "{\"Item\":{\"Artist\":{\"S\":\"ABBA\"},\"Title\":{\"S\":\"SOS\"},\"Year\":{\"N\":\"1975\"}}}"

/* For Criterion's .init: mounts, and declares Music (Artist, Title; an index by-year on Year). */
void imports_setup(void);

/* A file of n lines beside the mount, absolute; line `bad` (from 1; 0: none) holds no title. */
const char *imports_lines(const char *name, unsigned n, unsigned bad);

/* A number in a result, at its path; -1: it is not there. */
long imports_figure(const char *result, const char *name);

/* How many names a directory lists. */
long imports_items_in(const char *partition);

#endif
