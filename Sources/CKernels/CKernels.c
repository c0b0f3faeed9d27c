#define _GNU_SOURCE
#include "CKernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Each loop once in plain C, which compilers turn into what the target always has (SSE2, NEON), and
// once for 256 bits and instructions on bits, which not every processor has.

static atomic_int is_plain;

void sw_stay_plain(int plain) { atomic_store_explicit(&is_plain, plain, memory_order_relaxed); }

int sw_stays_plain(void) { return atomic_load_explicit(&is_plain, memory_order_relaxed); }

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

typedef struct {
  uint64_t low, high;
} view;

static inline __attribute__((always_inline)) size_t count_bits(const uint64_t *bits, size_t words) {
  size_t count = 0;
  for (size_t i = 0; i < words; i++) count += (size_t)__builtin_popcountll(bits[i]);
  return count;
}

static inline __attribute__((always_inline)) void ranks_of(const uint64_t *bits,
                                                           const uint32_t *lines, size_t count,
                                                           uint32_t first, uint32_t *ranks) {
  size_t word = 0;
  uint32_t before = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t end = lines[2 * i + 1] - first;
    for (; word < end / 64; word++) before += (uint32_t)__builtin_popcountll(bits[word]);
    uint64_t here = bits[word] & (~(uint64_t)0 >> (63 - end % 64));
    ranks[i] = before + (uint32_t)__builtin_popcountll(here);
  }
}

// Words of bits that are turned into places together.
enum { GROUP = 64 };

// The places of the bits in at most GROUP words. Always 8 at a time: how many a word has no processor
// foresees. `places` has room for 64 * GROUP + 8. Source: Langdale, Lemire, "Parsing gigabytes of JSON
// per second" (2019).
static inline __attribute__((always_inline)) size_t places_of(const uint64_t *bits, size_t words,
                                                              uint32_t first, uint32_t *places) {
  uint32_t *output = places;
  for (size_t i = 0; i < words; i++) {
    uint64_t word = bits[i];
    uint32_t base = first + (uint32_t)(i * 64);
    int left = __builtin_popcountll(word);
    uint32_t *end = output + left;
    while (left > 0) {
      for (int j = 0; j < 8; j++) {
        // Of no bit: written, and written over.
        output[j] = base + (word ? (uint32_t)__builtin_ctzll(word) : 64);
        word &= word - 1;
      }
      output += 8;
      left -= 8;
    }
    output = end;
  }
  return (size_t)(output - places);
}

static inline uint64_t kept(uint64_t bytes, uint32_t count) {
  return count >= 8 ? bytes : bytes & ~(~(uint64_t)0 << (count * 8));
}

static inline view view_plain(const uint8_t *bytes, uint32_t count, uint32_t place) {
  uint64_t first, second;
  memcpy(&first, bytes, 8);
  memcpy(&second, bytes + 8, 8);
  first = kept(first, count);
  second = kept(second, count < 8 ? 0 : count - 8);
  view result = {count | first << 32, first >> 32 | second << 32};
  if (count > 12) result.high = (uint64_t)place << 32;
  return result;
}

static size_t views_plain(const uint8_t *bytes, const uint64_t *bits, size_t words, uint32_t place,
                          view *views) {
  uint32_t places[64 * GROUP + 8];
  uint32_t begin = 0;
  view *output = views;
  for (size_t i = 0; i < words; i += GROUP) {
    size_t here = words - i < GROUP ? words - i : GROUP;
    size_t count = places_of(bits + i, here, (uint32_t)(i * 64), places);
    for (size_t j = 0; j < count; j++) {
      *output++ = view_plain(bytes + begin, places[j] - begin, place + begin);
      begin = places[j] + 1;
    }
  }
  return (size_t)(output - views);
}

static int is_utf8_plain(const uint8_t *bytes, size_t count) {
  size_t i = 0;
  while (i < count) {
    uint8_t first = bytes[i++];
    if (first < 0x80) continue;
    if (first < 0xC2 || first > 0xF4) return 0;
    size_t more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    if (count - i < more) return 0;
    // What the second byte may be depends on the first.
    uint8_t least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (bytes[i] < least || bytes[i] > most) return 0;
    for (size_t j = 1; j < more; j++)
      if ((bytes[i + j] & 0xC0) != 0x80) return 0;
    i += more;
  }
  return 1;
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

#define WITH_BITS __attribute__((target("avx2,bmi,bmi2,popcnt")))

WITH_BITS static size_t count_bits_avx2(const uint64_t *bits, size_t words) {
  return count_bits(bits, words);
}

WITH_BITS static size_t views_avx2(const uint8_t *bytes, const uint64_t *bits, size_t words,
                                   uint32_t place, view *views) {
  uint32_t places[64 * GROUP + 8];
  const __m128i numbers = _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  uint32_t begin = 0;
  view *output = views;
  for (size_t i = 0; i < words; i += GROUP) {
    size_t here = words - i < GROUP ? words - i : GROUP;
    size_t count = places_of(bits + i, here, (uint32_t)(i * 64), places);
    for (size_t j = 0; j < count; j++) {
      uint32_t length = places[j] - begin;
      uint32_t most = length > 12 ? 12 : length;
      // The bytes behind the length, of which only those of the text stay.
      __m128i text = _mm_slli_si128(_mm_loadu_si128((const __m128i *)(bytes + begin)), 4);
      __m128i limit = _mm_set1_epi8((char)(most + 4));
      text = _mm_and_si128(text, _mm_cmpgt_epi8(limit, numbers));
      text = _mm_or_si128(text, _mm_cvtsi32_si128((int)length));
      uint64_t inside = (uint64_t)_mm_extract_epi64(text, 1);
      uint64_t outside = (uint64_t)(place + begin) << 32;
      output->low = (uint64_t)_mm_cvtsi128_si64(text);
      output->high = length > 12 ? outside : inside;
      output++;
      begin = places[j] + 1;
    }
  }
  return (size_t)(output - views);
}

WITH_BITS static void ranks_avx2(const uint64_t *bits, const uint32_t *lines, size_t count,
                                 uint32_t first, uint32_t *ranks) {
  ranks_of(bits, lines, count, first, ranks);
}

// What is wrong with two bytes that follow each other, a bit for each kind of mistake. Three tables,
// asked by the half of a byte each, agree on the bits of the mistake. Source: Keiser, Lemire,
// "Validating UTF-8 in less than one instruction per byte" (2021).
enum {
  TOO_SHORT = 1 << 0,   // a beginning, and no continuation
  TOO_LONG = 1 << 1,    // a continuation behind ASCII
  LONG_3 = 1 << 2,      // three bytes where two would do
  TOO_LARGE = 1 << 3,   // beyond U+10FFFF
  SURROGATE = 1 << 4,
  LONG_2 = 1 << 5,
  LONG_4 = 1 << 6,      // or too large, behind F5 and more
  TWO = 1 << 7,         // two continuations: right behind the beginning of three or four bytes
  CARRY = TOO_SHORT | TOO_LONG | TWO,
  LARGE = CARRY | TOO_LARGE | LONG_4,
  CONTINUES = TOO_LONG | LONG_2 | TWO,
};

#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

// The bytes `back` places before those of `bytes`, behind those of `earlier`.
#define BEFORE(bytes, earlier, back) \
  _mm256_alignr_epi8(bytes, _mm256_permute2x128_si256(earlier, bytes, 0x21), 16 - (back))

WITH_BITS static inline __m256i mistakes(__m256i bytes, __m256i earlier) {
  const __m256i by_first_high =
      TWICE(TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
            (char)TWO, (char)TWO, (char)TWO, (char)TWO, TOO_SHORT | LONG_2, TOO_SHORT,
            TOO_SHORT | LONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | LONG_4);
  const __m256i by_first_low =
      TWICE((char)(CARRY | LONG_2 | LONG_3 | LONG_4), (char)(CARRY | LONG_2), (char)CARRY,
            (char)CARRY, (char)(CARRY | TOO_LARGE), (char)LARGE, (char)LARGE, (char)LARGE,
            (char)LARGE, (char)LARGE, (char)LARGE, (char)LARGE, (char)LARGE,
            (char)(LARGE | SURROGATE), (char)LARGE, (char)LARGE);
  const __m256i by_second_high =
      TWICE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
            (char)(CONTINUES | LONG_3 | LONG_4), (char)(CONTINUES | LONG_3 | TOO_LARGE),
            (char)(CONTINUES | SURROGATE | TOO_LARGE), (char)(CONTINUES | SURROGATE | TOO_LARGE),
            TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
  const __m256i half = _mm256_set1_epi8(0x0F);
  __m256i first = BEFORE(bytes, earlier, 1);
  __m256i first_high = _mm256_and_si256(_mm256_srli_epi16(first, 4), half);
  __m256i second_high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half);
  __m256i pairs = _mm256_and_si256(
      _mm256_and_si256(_mm256_shuffle_epi8(by_first_high, first_high),
                       _mm256_shuffle_epi8(by_first_low, _mm256_and_si256(first, half))),
      _mm256_shuffle_epi8(by_second_high, second_high));
  // Two continuations are right exactly behind these: the third byte of three, the third and fourth of
  // four.
  __m256i third = _mm256_subs_epu8(BEFORE(bytes, earlier, 2), _mm256_set1_epi8(0xE0 - 0x80));
  __m256i fourth = _mm256_subs_epu8(BEFORE(bytes, earlier, 3), _mm256_set1_epi8(0xF0 - 0x80));
  __m256i wanted = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
  return _mm256_xor_si256(wanted, pairs);
}

WITH_BITS static int is_utf8_avx2(const uint8_t *bytes, size_t count) {
  __m256i earlier = _mm256_setzero_si256(), wrong = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i here = _mm256_loadu_si256((const __m256i *)(bytes + i));
    // Behind a character that is not at its end nothing but ASCII is wrong too.
    if (_mm256_movemask_epi8(_mm256_or_si256(here, earlier)))
      wrong = _mm256_or_si256(wrong, mistakes(here, earlier));
    earlier = here;
  }
  // ASCII behind the end shows a character that is cut off.
  uint8_t last[32] = {0};
  memcpy(last, bytes + i, count - i);
  __m256i here = _mm256_loadu_si256((const __m256i *)last);
  wrong = _mm256_or_si256(wrong, mistakes(here, earlier));
  return _mm256_testz_si256(wrong, wrong);
}

static int has_wide(void) {
  return !sw_stays_plain() &&
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

size_t sw_count_bits(const uint64_t *bits, size_t words) {
  return has_wide() ? count_bits_avx2(bits, words) : count_bits(bits, words);
}

void sw_ranks(const uint64_t *bits, const uint32_t *lines, size_t count, uint32_t first,
              uint32_t *ranks) {
  if (has_wide())
    ranks_avx2(bits, lines, count, first, ranks);
  else
    ranks_of(bits, lines, count, first, ranks);
}

size_t sw_views(const uint8_t *bytes, const uint64_t *bits, size_t words, uint32_t place,
                void *views) {
  return has_wide() ? views_avx2(bytes, bits, words, place, views)
                    : views_plain(bytes, bits, words, place, views);
}

int sw_is_utf8(const uint8_t *bytes, size_t count) {
  return has_wide() ? is_utf8_avx2(bytes, count) : is_utf8_plain(bytes, count);
}

static unsigned scan_words(const uint8_t *bytes, size_t count, uint64_t *bits) {
  return has_wide() ? lines_avx2(bytes, count, bits) : lines_plain(bytes, count, bits);
}

void sw_match(const uint8_t *bytes, size_t count, uint8_t wanted, uint64_t *bits) {
  if (has_wide())
    match_avx2(bytes, count, wanted, bits);
  else
    match_plain(bytes, count, wanted, bits);
}

void sw_match_space(const uint8_t *bytes, size_t count, uint64_t *bits) {
  if (has_wide())
    space_avx2(bytes, count, bits);
  else
    space_plain(bytes, count, bits);
}

#else

size_t sw_count_bits(const uint64_t *bits, size_t words) { return count_bits(bits, words); }

void sw_ranks(const uint64_t *bits, const uint32_t *lines, size_t count, uint32_t first,
              uint32_t *ranks) {
  ranks_of(bits, lines, count, first, ranks);
}

size_t sw_views(const uint8_t *bytes, const uint64_t *bits, size_t words, uint32_t place,
                void *views) {
  return views_plain(bytes, bits, words, place, views);
}

int sw_is_utf8(const uint8_t *bytes, size_t count) { return is_utf8_plain(bytes, count); }

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

void *sw_pages(void *base, size_t known, size_t size) {
  void *pages = base ? mremap(base, known, size, MREMAP_MAYMOVE)
                     : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}
