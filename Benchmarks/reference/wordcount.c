// Word count in C, one thread: what a program written for this one job reaches.
//
//     wordcount FILE RESULT
//
// Words are separated by one space and lines by "\n", so two separators in a row have an empty
// word between them, as `line.split(" ")` has. RESULT gets the times of the start and the end
// (monotonic clock) as JSON; RESULT.counts gets a line "word count" for each word, after the end.
//
// The text is taken in blocks that stay in the nearest cache, each in three passes: find the ends
// of the words, make their keys, count. Every pass is a tight loop with few surprises for the
// processor, and a key's place in the table is fetched long before the key is counted. Compiled
// for the processor at hand (-O3 -march=native): without AVX2 the first pass looks at single bytes.

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

enum { BLOCK = 16 << 10, SHORT = 16, AHEAD = 16, FIRST_BITS = 16 };

// A word. Up to 16 bytes are in `low` and `high`, filled up with zeros; a longer word has its
// hash in `low` and its address in `high`. `size` is its length + 1: 0 marks a free entry.
typedef struct {
  uint64_t low, high, size;
} Key;

typedef struct {
  Key key;
  uint64_t count;
} Entry;

// 2^bits entries, at most half of them used.
typedef struct {
  Entry *entries;
  int bits;
  size_t used;
} Table;

static void failed(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// --- the table ---------------------------------------------------------------------------------

static inline size_t slot_of(const Key *key, int bits) {
  uint64_t high = key->size > SHORT + 1 ? 0 : key->high;
  return (key->low * 0x9E3779B97F4A7C15u + high * 0xC2B2AE3D27D4EB4Fu) >> (64 - bits);
}

static inline const void *address(const Key *key) { return (const void *)(uintptr_t)key->high; }

static inline int same(const Key *a, const Key *b) {
  if (((a->low ^ b->low) | (a->high ^ b->high) | (a->size ^ b->size)) == 0) return 1;
  return a->low == b->low && a->size == b->size && a->size > SHORT + 1 &&
         memcmp(address(a), address(b), a->size - 1) == 0;
}

static inline void add(Table *table, const Key *key, size_t slot) {
  const size_t mask = ((size_t)1 << table->bits) - 1;
  Entry *entry = &table->entries[slot];
  while (!same(&entry->key, key)) {
    if (entry->key.size == 0) {
      entry->key = *key;
      table->used++;
      break;
    }
    slot = (slot + 1) & mask;
    entry = &table->entries[slot];
  }
  entry->count++;
}

// Makes the table large enough for `more` further words.
static void reserve(Table *table, size_t more) {
  const Table old = *table;
  while (((size_t)1 << table->bits) < (table->used + more) * 2) table->bits++;
  if (old.entries != NULL && table->bits == old.bits) return;
  const size_t bytes = sizeof(Entry) << table->bits;
  table->entries = aligned_alloc(64, bytes);  // no entry lies in two lines of the cache
  if (table->entries == NULL) failed("wordcount");
  memset(table->entries, 0, bytes);
  const size_t mask = ((size_t)1 << table->bits) - 1;
  for (size_t i = 0; old.entries != NULL && i < (size_t)1 << old.bits; i++) {
    if (old.entries[i].key.size == 0) continue;
    size_t slot = slot_of(&old.entries[i].key, table->bits);
    while (table->entries[slot].key.size != 0) slot = (slot + 1) & mask;
    table->entries[slot] = old.entries[i];
  }
  free(old.entries);
}

// --- pass 1: where the words end ----------------------------------------------------------------

// Bit i of the result is set where text[i] is a separator.
static inline uint64_t separators(const uint8_t *text) {
  uint64_t bits = 0;
#if defined(__AVX2__)
  const __m256i space = _mm256_set1_epi8(' '), newline = _mm256_set1_epi8('\n');
  for (int i = 0; i < 64; i += 32) {
    const __m256i part = _mm256_loadu_si256((const __m256i *)(text + i));
    const __m256i found =
        _mm256_or_si256(_mm256_cmpeq_epi8(part, space), _mm256_cmpeq_epi8(part, newline));
    bits |= (uint64_t)(uint32_t)_mm256_movemask_epi8(found) << i;
  }
#else
  for (int i = 0; i < 64; i++) bits |= (uint64_t)(text[i] == ' ' || text[i] == '\n') << i;
#endif
  return bits;
}

// Writes the places of the separators among the first `size` bytes and returns their number. The
// bytes after those, up to a multiple of 64, are read and left out.
static size_t find_ends(const uint8_t *text, size_t size, uint32_t *ends) {
  size_t found = 0;
  for (size_t at = 0; at < size; at += 64) {
    uint64_t bits = separators(text + at);
    if (size - at < 64) bits &= ((uint64_t)1 << (size - at)) - 1;
    for (; bits != 0; bits &= bits - 1)
      ends[found++] = (uint32_t)at + (uint32_t)__builtin_ctzll(bits);
  }
  return found;
}

// --- pass 2: keys -------------------------------------------------------------------------------

static inline Key key_of(const uint8_t *word, size_t size) {
  static const uint8_t window[2 * SHORT] = "\xff\xff\xff\xff\xff\xff\xff\xff"
                                           "\xff\xff\xff\xff\xff\xff\xff\xff";
  Key key = {0, 0, size + 1};
  if (size <= SHORT) {
    uint64_t bytes[2], kept[2];
    memcpy(bytes, word, SHORT);
    memcpy(kept, window + SHORT - size, SHORT);
    key.low = bytes[0] & kept[0];
    key.high = bytes[1] & kept[1];
    return key;
  }
  for (size_t at = 0; at + 8 <= size; at += 8) {
    uint64_t part;
    memcpy(&part, word + at, 8);
    key.low = (key.low ^ part) * 0x9E3779B97F4A7C15u;
    key.low ^= key.low >> 32;
  }
  uint64_t last;
  memcpy(&last, word + size - 8, 8);
  key.low = (key.low ^ last) * 0x9E3779B97F4A7C15u;
  key.high = (uint64_t)(uintptr_t)word;
  return key;
}

// --- the file -----------------------------------------------------------------------------------

static void count(const uint8_t *text, size_t size, Table *table) {
  static uint32_t ends[BLOCK + 1], slots[BLOCK + 1];
  static Key keys[BLOCK + 1];
  size_t start = 0;  // of the word that goes on
  for (size_t block = 0; block < size; block += BLOCK) {
    const size_t length = size - block < BLOCK ? size - block : BLOCK;
    size_t words = find_ends(text + block, length, ends);
    const size_t end = block + length;
    if (end == size && text[size - 1] != '\n') ends[words++] = (uint32_t)length;
    reserve(table, words);
    for (size_t i = 0; i < words; i++) {
      keys[i] = key_of(text + start, block + ends[i] - start);
      slots[i] = (uint32_t)slot_of(&keys[i], table->bits);
      start = block + ends[i] + 1;
    }
    for (size_t i = 0; i < words; i++) {
      if (i + AHEAD < words) __builtin_prefetch(&table->entries[slots[i + AHEAD]], 1);
      add(table, &keys[i], slots[i]);
    }
  }
}

// The file's bytes, with some readable bytes after them.
static const uint8_t *mapped(const char *path, size_t *size) {
  const int file = open(path, O_RDONLY), access = MAP_PRIVATE | MAP_ANONYMOUS;
  struct stat about;
  if (file < 0 || fstat(file, &about) != 0) failed(path);
  *size = (size_t)about.st_size;
  uint8_t *memory = mmap(NULL, *size + 4096, PROT_READ, access, -1, 0);
  if (memory == MAP_FAILED) failed(path);
  const int over = MAP_PRIVATE | MAP_FIXED | MAP_POPULATE;
  if (*size != 0 && mmap(memory, *size, PROT_READ, over, file, 0) == MAP_FAILED) failed(path);
  close(file);
  return memory;
}

static void write_counts(const char *result, const Table *table) {
  char path[4096];
  snprintf(path, sizeof(path), "%s.counts", result);
  FILE *out = fopen(path, "wb");
  if (out == NULL) failed(path);
  for (size_t i = 0; i < (size_t)1 << table->bits; i++) {
    const Entry *entry = &table->entries[i];
    if (entry->key.size == 0) continue;
    const size_t size = entry->key.size - 1;
    fwrite(size > SHORT ? address(&entry->key) : &entry->key, 1, size, out);
    fprintf(out, " %llu\n", (unsigned long long)entry->count);
  }
  if (fclose(out) != 0) failed(path);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fputs("usage: wordcount FILE RESULT\n", stderr);
    return 2;
  }
  Table table = {NULL, FIRST_BITS, 0};
  size_t size;
  const double started = now();
  const uint8_t *text = mapped(argv[1], &size);
  count(text, size, &table);
  const double ended = now();
  reserve(&table, 0);  // a table for no words, too
  write_counts(argv[2], &table);
  FILE *out = fopen(argv[2], "w");
  if (out == NULL) failed(argv[2]);
  fprintf(out, "{\"started\": %.9f, \"ended\": %.9f}\n", started, ended);
  if (fclose(out) != 0) failed(argv[2]);
  return 0;
}
