#define _GNU_SOURCE
#include "CKernels.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Each loop once in plain C, which compilers turn into what the target always has (SSE2, NEON), and
// once for 256 bits, which not every processor has.

static inline uint64_t match64(const uint8_t *bytes, uint8_t wanted) {
  uint64_t word = 0;
  for (int i = 0; i < 64; i++) word |= (uint64_t)(bytes[i] == wanted) << i;
  return word;
}

static inline uint64_t space64(const uint8_t *bytes) {
  uint64_t word = 0;
  for (int i = 0; i < 64; i++) {
    uint8_t byte = bytes[i];
    uint64_t is_space = byte == ' ' || (uint8_t)(byte - 9) < 5 || (uint8_t)(byte - 0x1c) < 4;
    word |= is_space << i;
  }
  return word;
}

static void match_plain(const uint8_t *bytes, size_t count, uint8_t wanted, uint64_t *bits) {
  for (size_t i = 0; i < count; i += 64) bits[i / 64] = match64(bytes + i, wanted);
}

static void space_plain(const uint8_t *bytes, size_t count, uint64_t *bits) {
  for (size_t i = 0; i < count; i += 64) bits[i / 64] = space64(bytes + i);
}

static unsigned lines_plain(const uint8_t *bytes, size_t count, uint64_t *bits) {
  unsigned seen = 0;
  for (size_t i = 0; i < count; i += 64) {
    uint8_t high = 0, returns = 0;
    for (int j = 0; j < 64; j++) {
      high |= bytes[i + j];
      returns |= bytes[i + j] == '\r';
    }
    seen |= (high & 0x80 ? SW_SAW_BEYOND_ASCII : 0) | (returns ? SW_SAW_CARRIAGE_RETURN : 0);
    bits[i / 64] = match64(bytes + i, '\n');
  }
  return seen;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static inline uint64_t joined(__m256i low, __m256i high) {
  return (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32 |
         (uint32_t)_mm256_movemask_epi8(low);
}

__attribute__((target("avx2"))) static void match_avx2(const uint8_t *bytes, size_t count,
                                                       uint8_t wanted, uint64_t *bits) {
  __m256i mark = _mm256_set1_epi8((char)wanted);
  for (size_t i = 0; i < count; i += 64) {
    __m256i low = _mm256_loadu_si256((const __m256i *)(bytes + i));
    __m256i high = _mm256_loadu_si256((const __m256i *)(bytes + i + 32));
    bits[i / 64] = joined(_mm256_cmpeq_epi8(low, mark), _mm256_cmpeq_epi8(high, mark));
  }
}

__attribute__((target("avx2"))) static inline __m256i spaces(__m256i bytes) {
  __m256i space = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(' '));
  // x in first...last: no bit is left of the saturating difference on either side.
  __m256i tabs = _mm256_sub_epi8(bytes, _mm256_set1_epi8(9));
  __m256i is_tab = _mm256_cmpeq_epi8(_mm256_min_epu8(tabs, _mm256_set1_epi8(4)), tabs);
  __m256i marks = _mm256_sub_epi8(bytes, _mm256_set1_epi8(0x1c));
  __m256i is_mark = _mm256_cmpeq_epi8(_mm256_min_epu8(marks, _mm256_set1_epi8(3)), marks);
  return _mm256_or_si256(space, _mm256_or_si256(is_tab, is_mark));
}

__attribute__((target("avx2"))) static void space_avx2(const uint8_t *bytes, size_t count,
                                                       uint64_t *bits) {
  for (size_t i = 0; i < count; i += 64) {
    __m256i low = _mm256_loadu_si256((const __m256i *)(bytes + i));
    __m256i high = _mm256_loadu_si256((const __m256i *)(bytes + i + 32));
    bits[i / 64] = joined(spaces(low), spaces(high));
  }
}

__attribute__((target("avx2"))) static unsigned lines_avx2(const uint8_t *bytes, size_t count,
                                                           uint64_t *bits) {
  __m256i feed = _mm256_set1_epi8('\n'), carriage = _mm256_set1_epi8('\r');
  __m256i all = _mm256_setzero_si256(), returns = _mm256_setzero_si256();
  for (size_t i = 0; i < count; i += 64) {
    __m256i low = _mm256_loadu_si256((const __m256i *)(bytes + i));
    __m256i high = _mm256_loadu_si256((const __m256i *)(bytes + i + 32));
    bits[i / 64] = joined(_mm256_cmpeq_epi8(low, feed), _mm256_cmpeq_epi8(high, feed));
    all = _mm256_or_si256(all, _mm256_or_si256(low, high));
    returns = _mm256_or_si256(returns, _mm256_or_si256(_mm256_cmpeq_epi8(low, carriage),
                                                       _mm256_cmpeq_epi8(high, carriage)));
  }
  return (_mm256_movemask_epi8(all) ? SW_SAW_BEYOND_ASCII : 0) |
         (_mm256_movemask_epi8(returns) ? SW_SAW_CARRIAGE_RETURN : 0);
}

static unsigned scan_words(const uint8_t *bytes, size_t count, uint64_t *bits) {
  return __builtin_cpu_supports("avx2") ? lines_avx2(bytes, count, bits)
                                        : lines_plain(bytes, count, bits);
}

void sw_match(const uint8_t *bytes, size_t count, uint8_t wanted, uint64_t *bits) {
  if (__builtin_cpu_supports("avx2"))
    match_avx2(bytes, count, wanted, bits);
  else
    match_plain(bytes, count, wanted, bits);
}

void sw_match_space(const uint8_t *bytes, size_t count, uint64_t *bits) {
  if (__builtin_cpu_supports("avx2"))
    space_avx2(bytes, count, bits);
  else
    space_plain(bytes, count, bits);
}

#else

static unsigned scan_words(const uint8_t *bytes, size_t count, uint64_t *bits) {
  return lines_plain(bytes, count, bits);
}

void sw_match(const uint8_t *bytes, size_t count, uint8_t wanted, uint64_t *bits) {
  match_plain(bytes, count, wanted, bits);
}

void sw_match_space(const uint8_t *bytes, size_t count, uint64_t *bits) {
  space_plain(bytes, count, bits);
}

#endif

unsigned sw_scan_lines(const uint8_t *bytes, size_t count, uint64_t *bits) {
  size_t whole = count & ~(size_t)63;
  unsigned seen = scan_words(bytes, whole, bits);
  if (whole < count) {
    uint8_t last[64] = {0};
    memcpy(last, bytes + whole, count - whole);
    seen |= scan_words(last, 64, bits + whole / 64);
  }
  return seen;
}

void *sw_table_memory(size_t size) {
  const size_t page = 2 << 20;
  void *memory;
  if (posix_memalign(&memory, size < page ? 64 : page, size) != 0) return NULL;
#ifdef MADV_HUGEPAGE
  if (size >= page) madvise(memory, size, MADV_HUGEPAGE);
#endif
  return memset(memory, 0, size);
}
