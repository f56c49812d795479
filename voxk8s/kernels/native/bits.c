/* Masks as bits: 64 voxels of a row in one word, the lowest bit first.
 *
 * Every row begins with a new word, and bits beyond its end are 0. A volume of 9 million voxels is
 * 1.2 MB of bits, which stays in the processor's cache while it is gone over again and again.
 */
#include "bits.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the first byte of a word must be its lowest"
#endif

static uint64_t pack_word(const uint8_t *voxels) {
    uint64_t word = 0;
#ifdef __SSE2__
    for (int bit = 0; bit < BITS; bit += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(voxels + bit));
        __m128i empty = _mm_cmpeq_epi8(bytes, _mm_setzero_si128());
        word |= (uint64_t)(uint16_t)~_mm_movemask_epi8(empty) << bit;
    }
#else
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    for (int bit = 0; bit < BITS; bit += 8) {
        uint64_t bytes;
        memcpy(&bytes, voxels + bit, sizeof bytes);
        bytes = (((bytes & low) + low) | bytes) >> 7 & 0x0101010101010101; /* 1 where not 0 */
        word |= (bytes * 0x0102040810204080) >> 56 << bit;                 /* one bit of each */
    }
#endif
    return word;
}

/* Pack `rows` rows of `width` voxels, true where not 0. Returns 0. */
int voxk8s_pack(const uint8_t *voxels, int64_t rows, int64_t width, uint64_t *words) {
    int64_t whole = width / BITS, rest = width % BITS;
    for (int64_t row = 0; row < rows; row++, voxels += width) {
        for (int64_t i = 0; i < whole; i++) *words++ = pack_word(voxels + i * BITS);
        if (!rest) continue;
        uint8_t end[BITS] = {0};
        memcpy(end, voxels + whole * BITS, (size_t)rest);
        *words++ = pack_word(end);
    }
    return 0;
}

/* Eight bits as the bytes 0 or 1. */
static uint64_t spread(uint8_t bits) {
    uint64_t bytes = (bits * 0x0101010101010101u) & 0x8040201008040201u;
    return ((bytes + 0x7f7f7f7f7f7f7f7fu) | bytes) >> 7 & 0x0101010101010101u;
}

/* Unpack rows to voxels of 0 and 1. Returns 0. */
FOR_EACH_CPU
int voxk8s_unpack(const uint64_t *words, int64_t rows, int64_t width, uint8_t *voxels) {
    uint64_t bytes[256];
    for (int bits = 0; bits < 256; bits++) bytes[bits] = spread((uint8_t)bits);
    int64_t line = WORDS(width), whole = width / 8, rest = width % 8;
    for (int64_t row = 0; row < rows; row++, words += line, voxels += width) {
        const uint8_t *packed = (const uint8_t *)words;
        for (int64_t i = 0; i < whole; i++) memcpy(voxels + 8 * i, &bytes[packed[i]], 8);
        if (rest) memcpy(voxels + 8 * whole, &bytes[packed[whole]], (size_t)rest);
    }
    return 0;
}

/* Give the union of a row with itself shifted by `by` < 64 voxels to both sides; `row` != `to`. */
INLINE void shift_both_ways(const uint64_t *row, int64_t line, int by, uint64_t *to) {
    for (int64_t i = 0; i < line; i++) to[i] |= row[i] << by | row[i] >> by;
    for (int64_t i = 1; i < line; i++) to[i] |= row[i - 1] >> (BITS - by);
    for (int64_t i = 1; i < line; i++) to[i - 1] |= row[i] << (BITS - by);
}

INLINE void unite(uint64_t *to, const uint64_t *from, int64_t count) {
    for (int64_t i = 0; i < count; i++) to[i] |= from[i];
}

/* Unite each of `count` rows, `line` words long, with the rows beside it. */
INLINE void unite_neighbours(uint64_t *rows, int64_t count, int64_t line, uint64_t *space) {
    uint64_t *before = space, *current = space + line;
    memset(before, 0, (size_t)line * sizeof *before);
    for (int64_t row = 0; row < count; row++, rows += line) {
        memcpy(current, rows, (size_t)line * sizeof *rows);
        unite(rows, before, line);
        if (row + 1 < count) unite(rows, rows + line, line);
        uint64_t *swap = before;
        before = current, current = swap;
    }
}

INLINE void clear_beyond(uint64_t *row, int64_t width) {
    if (width % BITS) row[width / BITS] &= ~(~(uint64_t)0 << width % BITS);
}

/* Dilate a volume by the box of 3 x 3 x 3 voxels. Returns 1 where memory is missing, else 0. */
FOR_EACH_CPU
int voxk8s_dilate_by_box(uint64_t *words, const int64_t size[3]) {
    int64_t line = WORDS(size[2]), plane = size[1] * line;
    uint64_t *space = malloc(2 * (size_t)plane * sizeof *space);
    if (!space) return 1;
    for (int64_t z = 0; z < size[0]; z++) {
        uint64_t *rows = words + z * plane;
        for (uint64_t *row = rows; row < rows + plane; row += line) {
            memcpy(space, row, (size_t)line * sizeof *row);
            shift_both_ways(space, line, 1, row);
            clear_beyond(row, size[2]);
        }
        unite_neighbours(rows, size[1], line, space);
    }
    unite_neighbours(words, size[0], plane, space);
    free(space);
    return 0;
}

/* Dilate a volume by a ball of `count` rows, each with its offsets z, y and its reach < 64 along x.
 *
 * Rows are in ascending order of their reach. `dilated` is space for a volume. Returns 0.
 */
FOR_EACH_CPU
int voxk8s_dilate_by_rows(const uint64_t *words, const int64_t size[3], const int32_t (*ball)[3],
                          int64_t count, uint64_t *dilated, uint64_t *result) {
    int64_t line = WORDS(size[2]), plane = size[1] * line, all = size[0] * plane;
    memcpy(dilated, words, (size_t)all * sizeof *words);
    memset(result, 0, (size_t)all * sizeof *words);
    int32_t reach = 0;
    for (int64_t first = 0, end = 0; first < count; first = end) {
        while (end < count && ball[end][2] == ball[first][2]) end++;
        for (; reach < ball[first][2]; reach++)
            for (int64_t row = 0; row < all; row += line)
                shift_both_ways(words + row, line, reach + 1, dilated + row);
        /* Plane by plane: the one that is written stays in the nearest cache. */
        for (int64_t z = 0; z < size[0]; z++)
            for (int64_t i = first; i < end; i++) {
                int64_t source = z - ball[i][0], dy = ball[i][1];
                if (source < 0 || source >= size[0]) continue;
                int64_t rows = size[1] - (dy < 0 ? -dy : dy);
                unite(result + z * plane + (dy > 0 ? dy : 0) * line,
                      dilated + source * plane + (dy < 0 ? -dy : 0) * line, rows * line);
            }
    }
    for (int64_t row = 0; row < all; row += line) clear_beyond(result + row, size[2]);
    return 0;
}
