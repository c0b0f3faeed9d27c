#include "CKernels.h"

#include <pthread.h>
#include <string.h>

// The bits of a checksum's polynomial are mirrored, as the instruction has them.
static const uint32_t polynomial = 0x82F63B78;

// Eight bytes a step: tables[k][b] is what byte b does that k more bytes follow in the step.
static uint32_t tables[8][256];

static void make_tables(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ polynomial : value >> 1;
    tables[0][byte] = value;
  }
  for (int table = 1; table < 8; table++) {
    for (int byte = 0; byte < 256; byte++) {
      uint32_t before = tables[table - 1][byte];
      tables[table][byte] = before >> 8 ^ tables[0][before & 0xFF];
    }
  }
}

static uint32_t crc_plain(uint32_t crc, const uint8_t *bytes, size_t count) {
  static pthread_once_t made = PTHREAD_ONCE_INIT;
  pthread_once(&made, make_tables);
  for (; count >= 8; bytes += 8, count -= 8) {
    uint32_t next = crc ^ ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                           (uint32_t)bytes[3] << 24);
    crc = tables[7][next & 0xFF] ^ tables[6][next >> 8 & 0xFF] ^ tables[5][next >> 16 & 0xFF] ^
          tables[4][next >> 24] ^ tables[3][bytes[4]] ^ tables[2][bytes[5]] ^ tables[1][bytes[6]] ^
          tables[0][bytes[7]];
  }
  for (; count > 0; bytes++, count--) crc = crc >> 8 ^ tables[0][(crc ^ *bytes) & 0xFF];
  return crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc_sse(uint32_t crc, const uint8_t *bytes,
                                                          size_t count) {
  uint64_t wide = crc;
  for (; count >= 8; bytes += 8, count -= 8) {
    uint64_t next;
    memcpy(&next, bytes, 8);
    wide = __builtin_ia32_crc32di(wide, next);
  }
  crc = (uint32_t)wide;
  for (; count > 0; bytes++, count--) crc = __builtin_ia32_crc32qi(crc, *bytes);
  return crc;
}

#endif

uint32_t sw_crc32c(uint32_t before, const void *bytes, size_t count) {
#if defined(__x86_64__)
  if (!sw_stays_plain() && __builtin_cpu_supports("sse4.2")) return ~crc_sse(~before, bytes, count);
#endif
  return ~crc_plain(~before, bytes, count);
}
