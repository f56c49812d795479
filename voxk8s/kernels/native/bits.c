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

/* The comparisons of a voxel with one or two numbers, in the order of `Comparison`. */
enum { LESS, AT_MOST, EQUAL, AT_LEAST, MORE, BETWEEN };

/* Compare `count` voxels of a word; false for NaN. */
#define COMPARE(condition)                                               \
    do {                                                                 \
        for (int i = 0; i < count; i++) {                                \
            float x = voxels[i];                                         \
            truth[i] = (condition);                                      \
        }                                                                \
    } while (0)

INLINE uint64_t compare_word(
    const float *voxels, int count, int comparison, float low, float high) {
    uint8_t truth[BITS] = {0};
    switch (comparison) {
        case LESS: COMPARE(x < low); break;
        case AT_MOST: COMPARE(x <= low); break;
        case EQUAL: COMPARE(x == low); break;
        case AT_LEAST: COMPARE(x >= low); break;
        case MORE: COMPARE(x > low); break;
        case BETWEEN: COMPARE((x >= low) & (x <= high)); break;
    }
    return pack_word(truth);
}

INLINE void compare_rows(const float *voxels, int64_t rows, int64_t width, int comparison,
    float low, float high, uint64_t *words) {
    int64_t whole = width / BITS;
    int rest = (int)(width % BITS);
    for (int64_t row = 0; row < rows; row++, voxels += width) {
        for (int64_t i = 0; i < whole; i++)
            *words++ = compare_word(voxels + i * BITS, BITS, comparison, low, high);
        if (rest) *words++ = compare_word(voxels + whole * BITS, rest, comparison, low, high);
    }
}

/* Compare rows of voxels with `low`, or both numbers; `words` are those of the result. Returns 0. */
FOR_EACH_CPU
int voxk8s_compare(const float *voxels, int64_t rows, int64_t width, int comparison, float low,
    float high, uint64_t *words) {
#define CASE(each)                                                          \
    case each: compare_rows(voxels, rows, width, each, low, high, words); break;
    switch (comparison) { /* Each in a loop of its own, which the compiler makes for vectors. */
        CASE(LESS) CASE(AT_MOST) CASE(EQUAL) CASE(AT_LEAST) CASE(MORE) CASE(BETWEEN)
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

/* Places along z, y, x: from `first` to before `end`. */
typedef struct {
    int64_t first[3], end[3];
} Box;

INLINE int is_empty(const Box *box) {
    int empty = 0;
    for (int axis = 0; axis < 3; axis++) empty |= box->first[axis] >= box->end[axis];
    return empty;
}

INLINE void extend(Box *box, int axis, int64_t place) {
    if (!box->end[axis]) box->first[axis] = place;
    box->end[axis] = place + 1;
}

/* The voxels in the last word of a row. */
INLINE uint64_t last_bits(int64_t width) { return ~(uint64_t)0 >> (BITS - 1 - (width - 1) % BITS); }

/* Give the smallest box of the voxels whose bits differ from those of `flip`, else zeros.
 *
 * Returns 1 where memory is missing, else 0.
 */
INLINE int find_box(const uint64_t *words, const int64_t size[3], uint64_t flip, Box *box) {
    int64_t line = WORDS(size[2]), plane = size[1] * line;
    *box = (Box){{0}, {0}};
    if (!size[0] || !plane) return 0;
    uint64_t last = last_bits(size[2]), end = (words[size[0] * plane - 1] ^ flip) & last;
    if ((words[0] ^ flip) & 1 && end > last >> 1) { /* two opposite corners of the volume */
        memcpy(box->end, size, sizeof box->end);
        return 0;
    }
    uint64_t *found = calloc(2 * (size_t)plane, sizeof *found);
    if (!found) return 1;
    uint64_t *voxels = found + plane;
    memset(voxels, 0xff, (size_t)plane * sizeof *voxels);
    for (int64_t i = line - 1; i < plane; i += line) voxels[i] = last;
    for (int64_t z = 0; z < size[0]; z++, words += plane) {
        uint64_t any = 0;
        for (int64_t i = 0; i < plane; i++) {
            uint64_t word = (words[i] ^ flip) & voxels[i];
            found[i] |= word;
            any |= word;
        }
        if (any) extend(box, 0, z);
    }
    for (int64_t y = 0; y < size[1]; y++) {
        uint64_t any = 0;
        for (int64_t i = 0; i < line; i++) any |= found[y * line + i];
        if (any) extend(box, 1, y);
    }
    for (int64_t i = 0; i < line; i++) {
        uint64_t any = 0;
        for (int64_t y = 0; y < size[1]; y++) any |= found[y * line + i];
        if (!any) continue;
        extend(box, 2, i * BITS + __builtin_ctzll(any));
        extend(box, 2, i * BITS + BITS - 1 - __builtin_clzll(any));
    }
    free(found);
    return 0;
}

/* Give the bounding box of the true voxels, zeros if there are none. Returns as above. */
FOR_EACH_CPU
int voxk8s_bounding_box(const uint64_t *words, const int64_t size[3], Box *box) {
    return find_box(words, size, 0, box);
}

/* Give the box outside which a dilation by a ball changes nothing. Returns as above.
 *
 * What is added is around the true voxels, and within the box of the false ones. All of that is
 * added from within this box grown by one voxel: any true voxel farther away has another one
 * between it and the box, which is closer along an axis and no farther along the others.
 */
INLINE int find_change(const uint64_t *words, const int64_t size[3], uint64_t flip,
                       const int64_t reach[3], Box *box) {
    Box around, among;
    if (find_box(words, size, flip, &around) || find_box(words, size, ~flip, &among)) return 1;
    *box = (Box){{0}, {0}};
    if (is_empty(&around) || is_empty(&among)) return 0;
    for (int axis = 0; axis < 3; axis++) {
        int64_t first = around.first[axis] - reach[axis], end = around.end[axis] + reach[axis];
        if (first < among.first[axis] - 1) first = among.first[axis] - 1;
        if (end > among.end[axis] + 1) end = among.end[axis] + 1;
        box->first[axis] = first < 0 ? 0 : first;
        box->end[axis] = end > size[axis] ? size[axis] : end;
    }
    return 0;
}

/* The size of rows: their words, the last of which has the voxels `last`. */
typedef struct {
    int64_t count, words;
    uint64_t last;
} Rows;

/* Copy rows whose first words are `line` apart to others, `to_line` apart, and flip their bits. */
INLINE void copy_rows(Rows rows, const uint64_t *from, int64_t line, uint64_t flip, uint64_t *to,
                      int64_t to_line) {
    if (line == rows.words && to_line == line)
        for (int64_t i = 0; i < rows.count * line; i++) to[i] = from[i] ^ flip;
    else
        for (int64_t row = 0; row < rows.count; row++)
            for (int64_t i = 0; i < rows.words; i++)
                to[row * to_line + i] = from[row * line + i] ^ flip;
    for (int64_t row = 0; row < rows.count; row++) to[row * to_line + rows.words - 1] &= rows.last;
}

/* Give the complement of `rows` rows of `width` voxels. Returns 0. */
FOR_EACH_CPU
int voxk8s_complement(const uint64_t *words, int64_t rows, int64_t width, uint64_t *result) {
    int64_t line = WORDS(width);
    if (!line) return 0;
    copy_rows((Rows){rows, line, last_bits(width)}, words, line, ~(uint64_t)0, result, line);
    return 0;
}

/* Give the bits of `count` words that are in `a` and not in `b`. Returns 0. */
FOR_EACH_CPU
int voxk8s_subtract(const uint64_t *a, const uint64_t *b, int64_t count, uint64_t *result) {
    for (int64_t i = 0; i < count; i++) result[i] = a[i] & ~b[i];
    return 0;
}

/* Unite with words shifted by `by` < 64 voxels to both sides; one more is read at both ends. */
INLINE void unite_shifted(uint64_t *to, const uint64_t *words, int64_t count, int by) {
    for (int64_t i = 0; i < count; i++)
        to[i] |= words[i] << by | words[i] >> by | words[i - 1] >> (BITS - by) |
                 words[i + 1] << (BITS - by);
}

/* Unite with the words that are `by` places before and after; so many are read at both ends. */
INLINE void unite_moved(uint64_t *to, const uint64_t *words, int64_t count, int64_t by) {
    for (int64_t i = 0; i < count; i++) to[i] |= words[i - by] | words[i + by];
}

enum { MANY_WORDS = 32 }; /* of a row; below, steps over all rows of a plane at once are faster */

/* Dilate a volume by a ball, or if `inverted`, its complement, and give the complement of that.
 *
 * A ball has `count` > 0 rows along x, in ascending order of their reach < 64. Their offsets from
 * the centre, along z and y, are to both sides. With each voxel a ball contains those that are
 * closer to the centre along any axis. Returns 1 where memory is missing, else 0.
 *
 * Plane by plane, as each stays in the nearest cache while it is spread along x, step by step, and
 * added to the planes around it. No more of these are open than the ball is high.
 */
FOR_EACH_CPU
int voxk8s_dilate(const uint64_t *words, const int64_t shape[3], const int32_t (*ball)[3],
                  int64_t count, int inverted, uint64_t *result) {
    uint64_t flip = inverted ? ~(uint64_t)0 : 0;
    /* A single plane may be larger than all caches: its rows are taken for planes. */
    int planar = shape[0] == 1 && WORDS(shape[2]) >= MANY_WORDS, axes[3] = {planar, !planar, 2};
    int64_t size[3], reach[3] = {0};
    for (int axis = 0; axis < 3; axis++) {
        size[axis] = shape[axes[axis]];
        for (int64_t i = 0; i < count; i++)
            if (ball[i][axes[axis]] > reach[axis]) reach[axis] = ball[i][axes[axis]];
    }
    int64_t line = WORDS(size[2]), layer = size[1] * line;
    Box box;
    if (find_change(words, size, flip, reach, &box)) return 1;
    memcpy(result, words, (size_t)(size[0] * layer) * sizeof *words);
    if (is_empty(&box)) return 0;

    int64_t depth = box.end[0] - box.first[0], x = box.first[2] / BITS;
    Rows rows = {box.end[1] - box.first[1], WORDS(box.end[2]) - x, ~(uint64_t)0};
    int64_t width = rows.words * BITS;
    if (x + rows.words == line) width = size[2] - x * BITS, rows.last = last_bits(size[2]);
    /* So far apart that nothing is shifted from one row into the voxels of another. */
    int64_t apart = WORDS(width + reach[2]), plane = rows.count * apart, margin = reach[1] * apart;
    int64_t planes = 2 * reach[0] < depth ? 2 * reach[0] + 1 : depth;
    uint64_t *space = calloc((size_t)((2 + planes) * plane + 2 * (margin + 1)), sizeof *space);
    if (!space) return 1;
    uint64_t *source = space + 1, *spread = source + plane + 1 + margin;
    uint64_t *open = spread + plane + margin;
    words += box.first[0] * layer + box.first[1] * line + x;
    result += box.first[0] * layer + box.first[1] * line + x;
    for (int64_t z = 0; z < depth + reach[0]; z++) {
        if (z < depth) {
            copy_rows(rows, words + z * layer, line, flip, source, apart);
            memcpy(spread, source, (size_t)plane * sizeof *source);
        }
        int reached = 0;
        for (int64_t i = 0; i < count && z < depth; i++) {
            int64_t height = ball[i][axes[0]], above = z - height, below = z + height;
            int64_t by = ball[i][axes[1]] * apart;
            while (reached < ball[i][2]) unite_shifted(spread, source, plane, ++reached);
            if (above >= 0) unite_moved(open + above % planes * plane, spread, plane, by);
            if (below < depth && below > above)
                unite_moved(open + below % planes * plane, spread, plane, by);
        }
        int64_t done = z - reach[0];
        if (done < 0) continue;
        uint64_t *dilated = open + done % planes * plane;
        copy_rows(rows, dilated, apart, flip, result + done * layer, line);
        memset(dilated, 0, (size_t)plane * sizeof *dilated);
    }
    free(space);
    return 0;
}
