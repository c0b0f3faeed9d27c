// Loops over whole blocks that need vector instructions chosen at run time.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Whether the loops below do without the wide instructions that the processor has: for tests.
void sw_stay_plain(int plain);
int sw_stays_plain(void);

// Sets bit i of bits[i / 64] where bytes[i] == wanted, for `count` bytes, a multiple of 64. All of
// them are read; bits has count / 64 words.
void sw_match(const uint8_t *bytes, size_t count, uint8_t wanted, uint64_t *bits);

// Sets a bit where bytes[i] is white space below 128, as Python's str.split() sees it (\t \n \v \f \r,
// \x1c to \x1f, space). The rest as in sw_match.
void sw_match_space(const uint8_t *bytes, size_t count, uint64_t *bits);

// How many bits are set.
size_t sw_count_bits(const uint64_t *bits, size_t words);

// For each of `count` lines, pairs of the places where they begin and end, how many bits are set up to its
// end, which is `first` plus the number of a bit. Lines come in their order.
void sw_ranks(const uint64_t *bits, const uint32_t *lines, size_t count, uint32_t first,
              uint32_t *ranks);

// The views (16 bytes each, Arrow's Utf8View) of parts that lie behind each other: the first begins at
// `bytes`, and a part ends where bit i is set, which stands for byte i: it belongs to no part. `place` is
// that of `bytes` in buffer 0. `views` has room for one a bit; their number is returned. 64 bytes behind
// the last are readable.
size_t sw_views(const uint8_t *bytes, const uint64_t *bits, size_t words, uint32_t place,
                void *views);

// What sw_scan_lines has seen.
enum { SW_SAW_CARRIAGE_RETURN = 1, SW_SAW_BEYOND_ASCII = 2 };

// Sets bit i of bits[i / 64] where bytes[i] is a line feed, for `count` bytes of which none behind the
// last is read; bits has (count + 63) / 64 words. Returns whether there is a carriage return, or a
// byte from 128 on.
unsigned sw_scan_lines(const uint8_t *bytes, size_t count, uint64_t *bits);

// Whether the bytes are UTF-8, as Unicode defines it (table 3-7): no surrogates, nothing longer than it
// has to be, nothing beyond U+10FFFF.
int sw_is_utf8(const uint8_t *bytes, size_t count);

// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of bytes, going on from the one of those before them; 0 for
// none.
uint32_t sw_crc32c(uint32_t before, const void *bytes, size_t count);

// Asks for a cache line that is read soon. The address need not be valid.
static inline void sw_kernel_prefetch(const void *address) { __builtin_prefetch(address); }

// `size` zero bytes that begin at a multiple of 64, for a table that is read at random:
// where that helps, in pages of 2 MiB, so that few reads miss the processor's table of pages. NULL
// without memory. For free().
void *sw_table_memory(size_t size);

// Pages of their own for `size` bytes, zero bytes where nothing was; `base` with `known` bytes is moved
// there, or NULL with 0. NULL without memory: `base` is as before then. For munmap().
void *sw_pages(void *base, size_t known, size_t size);
