/* Exact Euclidean distances between voxels of a volume and the nearest of some target voxels.
 *
 * Squares of distances, axis by axis (Saito & Toriwaki, Pattern Recognition 1994): the square at
 * row y is the least (y - i)^2 + s(i) over all rows i, where s is what the axes before gave. That
 * least i never falls as y grows (Hirata, IPL 1996), so the rows are taken by halving: those between
 * two known ones look only between what these two chose, nearest first, and end where the square of
 * the way alone is no better. Neighbouring columns choose alike, so several are searched at once,
 * one in each lane of a vector.
 *
 * Squares are whole numbers where all spacings are multiples of one unit, and exact; else they are
 * float64, and a distance in float32 is that of the exact square, save for the last rounding.
 */
#include "bits.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifdef __clang__
enum { VECTOR = 32 };
#else
enum { VECTOR = 16 }; /* GCC takes vectors that a processor does not have apart into single numbers */
#endif

#define NUMBER int32_t
#define WHOLE int32_t
#define NONE (1 << 30) /* the square where there is no target; above all others */
#define NAMED(name) name##_whole
#include "distances_by_axis.h"
#undef NUMBER
#undef WHOLE
#undef NONE
#undef NAMED

#define NUMBER double
#define WHOLE int64_t
#define NONE HUGE_VAL
#define NAMED(name) name##_real
#include "distances_by_axis.h"

/* Give the distances in a volume of size[0] x size[1] x size[2] voxels in C order, whose axes have
 * steps of whole numbers of `unit`.
 *
 * `target` and `inside` are masks; the distance is negative where `inside`, if given, is true. There
 * is a target, and the sum of (size * step)^2 is below 2^30. Returns 0, or 1 where memory is missing.
 */
int voxk8s_distances_on_grid(const uint8_t *target, const uint8_t *inside, const int32_t size[3],
                             const int32_t step[3], float unit, float *distance) {
    /* The squares lie where the distances will: both have 32 bits. */
    return distances_whole(target, inside, size, step, unit, (int32_t *)distance, distance);
}

/* Give the distances at any steps. As above, save for the limit of the sum. */
int voxk8s_distances(const uint8_t *target, const uint8_t *inside, const int32_t size[3],
                     const double step[3], float *distance) {
    double *squares = malloc((size_t)size[0] * size[1] * size[2] * sizeof *squares);
    if (!squares) return 1;
    int missing = distances_real(target, inside, size, step, 1, squares, distance);
    free(squares);
    return missing;
}
