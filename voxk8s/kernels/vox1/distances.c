/* Exact Euclidean distances between voxels of a volume and the nearest of some target voxels.
 *
 * Squares of whole numbers, axis by axis (Saito & Toriwaki, Pattern Recognition 1994): the square
 * at row y is the least (y - i)^2 + s(i) over all rows i, where s is what the axes before gave.
 * That least i never falls as y grows (Hirata, IPL 1996), so the rows are taken by halving: those
 * between two known ones look only between what these two chose, nearest first, and end where the
 * square of the way alone is no better. Neighbouring columns choose alike, so several are searched
 * at once, one in each lane of a vector.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__gnu_linux__)
/* The processor that runs decides; whole numbers and roots are the same on all of them. */
#define FOR_EACH_CPU __attribute__((target_clones("avx2", "sse4.1", "default")))
#else
#define FOR_EACH_CPU
#endif
#define INLINE static inline __attribute__((always_inline))

#ifdef __clang__
enum { LANES = 8 };
#else
enum { LANES = 4 }; /* GCC takes vectors that a processor does not have apart into single numbers */
#endif
enum { NONE = 1 << 30 }; /* the square where there is no target; above all others */

typedef int32_t Lanes __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef int64_t Pairs __attribute__((vector_size(sizeof(Lanes))));

/* A voxel of the result, which holds squares until the last axis is done. */
typedef union {
    int32_t square;
    float distance;
} Voxel;

/* LANES columns side by side: what is given, what is found, and the rows that were chosen. */
typedef struct {
    Lanes *given, *found;
    int32_t *least, *most;
} Block;

INLINE Lanes all(int32_t value) { return (Lanes){0} + value; }

INLINE Lanes choose(Lanes where, Lanes a, Lanes b) { return (where & a) | (~where & b); }

INLINE void load(Lanes *lanes, const Voxel *from, long count) {
    *lanes = all(NONE);
    if (count == LANES) memcpy(lanes, from, sizeof *lanes);
    else for (long i = 0; i < count; i++) (*lanes)[i] = from[i].square;
}

INLINE void store(const Lanes *lanes, Voxel *to, long count) {
    if (count == LANES) memcpy(to, lanes, sizeof *lanes);
    else for (long i = 0; i < count; i++) to[i].square = (*lanes)[i];
}

INLINE int any(Lanes where) {
    Pairs pairs = (Pairs)where;
    int64_t found = 0;
    for (int i = 0; i < LANES / 2; i++) found |= pairs[i];
    return found != 0;
}

INLINE int32_t smallest(Lanes lanes) {
    int32_t found = lanes[0];
    for (int i = 1; i < LANES; i++) found = lanes[i] < found ? lanes[i] : found;
    return found;
}

INLINE int32_t largest(Lanes lanes) { return -smallest(-lanes); }

INLINE void consider(const Block *block, long row, int32_t square, Lanes *best, Lanes *chosen) {
    Lanes candidate = block->given[row] + square;
    Lanes better = candidate < *best;
    *best = choose(better, candidate, *best);
    *chosen = choose(better, all((int32_t)row), *chosen);
}

/* Find row y among the rows low..high, `step` apart, of which at least one has a target. */
INLINE void search(const Block *block, int32_t step, long y, long low, long high) {
    Lanes best = all(NONE), chosen = all(0);
    long way = y < low ? low - y : y > high ? y - high : 0;
    for (; y - way >= low || y + way <= high; way++) {
        int32_t square = (int32_t)(way * way) * step * step;
        if (!any(best > square)) break;
        if (y - way >= low) consider(block, y - way, square, &best, &chosen);
        if (y + way <= high) consider(block, y + way, square, &best, &chosen);
    }
    block->found[y] = best;
    /* Columns without a target chose nothing. */
    block->least[y] = smallest(choose(best < NONE, chosen, all(INT32_MAX)));
    block->most[y] = largest(chosen);
}

/* Find all rows of a block; return whether there was any target. */
INLINE int find(const Block *block, int32_t step, long rows) {
    long first = 0, last = rows - 1, half = 1;
    while (first < rows && !any(block->given[first] < NONE)) first++;
    if (first == rows) return 0;
    while (!any(block->given[last] < NONE)) last--;
    while (half < rows) half *= 2;
    for (; half; half /= 2)
        for (long y = half - 1; y < rows; y += 2 * half)
            search(block, step, y, y < half ? first : block->least[y - half],
                   y + half < rows ? block->most[y + half] : last);
    return 1;
}

/* Go along an axis whose rows of `width` voxels lie `stride` voxels apart in memory. */
FOR_EACH_CPU
static void along(Voxel *volume, int32_t step, long rows, long stride, long width,
                  const Block *block) {
    for (long x = 0; x < width; x += LANES) {
        long count = width - x < LANES ? width - x : LANES;
        for (long y = 0; y < rows; y++) load(&block->given[y], volume + y * stride + x, count);
        if (!find(block, step, rows)) continue;
        for (long y = 0; y < rows; y++) store(&block->found[y], volume + y * stride + x, count);
    }
}

static void along_row(const uint8_t *target, Voxel *row, int32_t step, int32_t width) {
    int32_t way = width; /* farther than any target of the row */
    for (int32_t x = 0; x < width; x++) {
        way = target[x] ? 0 : way + 1;
        row[x].square = way;
    }
    if (way == 2 * width) {
        for (int32_t x = 0; x < width; x++) row[x].square = NONE;
        return;
    }
    for (int32_t x = width - 1; x >= 0; x--) {
        int32_t before = row[x].square;
        way = way + 1 < before ? way + 1 : before;
        row[x].square = way * way * step * step;
    }
}

FOR_EACH_CPU
static void roots(const uint8_t *inside, float unit, Voxel *row, long width) {
    for (long x = 0; x < width; x++) {
        float distance = sqrtf((float)row[x].square) * unit;
        row[x].distance = inside && inside[x] ? -distance : distance;
    }
}

/* Give the distances in a volume of size[0] x size[1] x size[2] voxels in C order, whose axes have
 * steps of whole numbers of `unit`.
 *
 * `target` and `inside` are masks; the distance is negative where `inside`, if given, is true. There
 * is a target, and the sum of (size * step)^2 is below 2^30. Returns 0, or 1 where memory is missing.
 */
int voxk8s_distances(const uint8_t *target, const uint8_t *inside, const int32_t size[3],
                     const int32_t step[3], float unit, Voxel *volume) {
    long nz = size[0], ny = size[1], nx = size[2], plane = ny * nx;
    size_t rows = (size_t)(ny > nz ? ny : nz);
    Lanes *lanes = aligned_alloc(sizeof(Lanes), 2 * rows * sizeof(Lanes));
    int32_t *chosen = malloc(2 * rows * sizeof(int32_t));
    if (lanes && chosen) {
        Block block = {lanes, lanes + rows, chosen, chosen + rows};
        for (long z = 0; z < nz; z++) {
            for (long row = z * plane; row < (z + 1) * plane; row += nx)
                along_row(target + row, volume + row, step[2], size[2]);
            along(volume + z * plane, step[1], ny, nx, nx, &block);
        }
        for (long y = 0; y < ny; y++) {
            along(volume + y * nx, step[0], nz, plane, nx, &block);
            for (long row = y * nx; row < nz * plane; row += plane)
                roots(inside ? inside + row : NULL, unit, volume + row, nx);
        }
    }
    int missing = !(lanes && chosen);
    free(lanes);
    free(chosen);
    return missing;
}
