/* The distances of distances.c with squares of the type NUMBER, whose vectors are compared to ones
 * of WHOLE. Included once for each type, so it has no guard. */

enum { NAMED(LANES) = VECTOR / sizeof(NUMBER) };

typedef NUMBER NAMED(Lanes) __attribute__((vector_size(VECTOR)));
typedef WHOLE NAMED(Wholes) __attribute__((vector_size(VECTOR)));
typedef int64_t NAMED(Pairs) __attribute__((vector_size(VECTOR)));
typedef NUMBER NAMED(Square) __attribute__((may_alias)); /* may lie where distances will */

#define LANES NAMED(LANES)
#define Lanes NAMED(Lanes)
#define Wholes NAMED(Wholes)
#define Pairs NAMED(Pairs)
#define Square NAMED(Square)
#define Block NAMED(Block)
#define any NAMED(any)
#define choose NAMED(choose)
#define consider NAMED(consider)
#define search NAMED(search)
#define search_rows NAMED(search_rows)
#define along NAMED(along)
#define along_row NAMED(along_row)
#define roots NAMED(roots)

/* LANES columns side by side: what is given, what is found, and the rows that were chosen. */
typedef struct {
    Lanes *given, *found;
    int32_t *least, *most;
} Block;

INLINE int any(Wholes where) {
    Pairs pairs = (Pairs)where;
    int64_t found = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) found |= pairs[i];
    return found != 0;
}

INLINE Wholes choose(Wholes where, Wholes a, Wholes b) { return (where & a) | (~where & b); }

INLINE void consider(const Block *block, long row, NUMBER square, Lanes *best, Wholes *chosen) {
    Lanes candidate = block->given[row] + square;
    Wholes better = candidate < *best;
    *best = (Lanes)choose(better, (Wholes)candidate, (Wholes)*best);
    *chosen = choose(better, (Wholes){0} + (WHOLE)row, *chosen);
}

/* Find row y among the rows low..high, of which at least one has a target. */
INLINE void search(const Block *block, NUMBER step, long y, long low, long high) {
    Lanes best = (Lanes){0} + NONE;
    Wholes chosen = {0};
    long way = y < low ? low - y : y > high ? y - high : 0;
    for (; y - way >= low || y + way <= high; way++) {
        NUMBER square = (NUMBER)(way * way) * step * step;
        if (!any(best > square)) break;
        if (y - way >= low) consider(block, y - way, square, &best, &chosen);
        if (y + way <= high) consider(block, y + way, square, &best, &chosen);
    }
    block->found[y] = best;
    WHOLE least = INT32_MAX, most = 0;
    for (int i = 0; i < LANES; i++) {
        if (best[i] >= NONE) continue; /* a column without a target chose nothing */
        least = chosen[i] < least ? chosen[i] : least;
        most = chosen[i] > most ? chosen[i] : most;
    }
    block->least[y] = (int32_t)least;
    block->most[y] = (int32_t)most;
}

/* Find all rows of a block; return whether there was any target. */
INLINE int search_rows(const Block *block, NUMBER step, long rows) {
    const Lanes none = (Lanes){0} + NONE;
    long first = 0, last = rows - 1, half = 1;
    while (first < rows && !any(block->given[first] < none)) first++;
    if (first == rows) return 0;
    while (!any(block->given[last] < none)) last--;
    while (half < rows) half *= 2;
    for (; half; half /= 2)
        for (long y = half - 1; y < rows; y += 2 * half)
            search(block, step, y, y < half ? first : block->least[y - half],
                   y + half < rows ? block->most[y + half] : last);
    return 1;
}

/* Go along an axis whose rows of `width` voxels lie `stride` voxels apart in memory. */
FOR_EACH_CPU
static void along(Square *volume, NUMBER step, long rows, long stride, long width,
                  const Block *block) {
    for (long x = 0; x < width; x += LANES) {
        size_t count = (size_t)(width - x < LANES ? width - x : LANES);
        for (long y = 0; y < rows; y++) {
            Lanes lanes = (Lanes){0} + NONE;
            if (count == LANES) memcpy(&lanes, volume + y * stride + x, sizeof lanes);
            else for (size_t i = 0; i < count; i++) lanes[i] = volume[y * stride + x + (long)i];
            block->given[y] = lanes;
        }
        if (!search_rows(block, step, rows)) continue;
        for (long y = 0; y < rows; y++)
            memcpy(volume + y * stride + x, &block->found[y], count * sizeof(NUMBER));
    }
}

static void along_row(const uint8_t *target, Square *row, NUMBER step, int32_t width) {
    int32_t way = width; /* farther than any target of the row */
    for (int32_t x = 0; x < width; x++) {
        way = target[x] ? 0 : way + 1;
        row[x] = way;
    }
    if (way == 2 * width) {
        for (int32_t x = 0; x < width; x++) row[x] = NONE;
        return;
    }
    for (int32_t x = width - 1; x >= 0; x--) {
        int32_t before = (int32_t)row[x];
        way = way + 1 < before ? way + 1 : before;
        row[x] = (NUMBER)way * way * step * step;
    }
}

/* Give the roots of `width` <= ROOTS squares, which may lie where the distances will. */
enum { NAMED(ROOTS) = 256 };
FOR_EACH_CPU
static void roots(const Square *squares, const uint8_t *inside, float unit, float *distance,
                  long width) {
    Square row[NAMED(ROOTS)];
    memcpy(row, squares, (size_t)width * sizeof *row);
    for (long x = 0; x < width; x++)
        distance[x] = (float)(sizeof(NUMBER) == 8 ? sqrt(row[x]) : sqrtf((float)row[x])) * unit;
    if (inside)
        for (long x = 0; x < width; x++) distance[x] = inside[x] ? -distance[x] : distance[x];
}

static int NAMED(distances)(const uint8_t *target, const uint8_t *inside, const int32_t size[3],
                            const NUMBER step[3], float unit, Square *squares, float *distance) {
    long nz = size[0], ny = size[1], nx = size[2], plane = ny * nx;
    size_t rows = (size_t)(ny > nz ? ny : nz);
    Lanes *lanes = aligned_alloc(sizeof(Lanes), 2 * rows * sizeof(Lanes));
    int32_t *chosen = malloc(2 * rows * sizeof(int32_t));
    if (lanes && chosen) {
        Block block = {lanes, lanes + rows, chosen, chosen + rows};
        for (long z = 0; z < nz; z++) {
            for (long row = z * plane; row < (z + 1) * plane; row += nx)
                along_row(target + row, squares + row, step[2], size[2]);
            along(squares + z * plane, step[1], ny, nx, nx, &block);
        }
        for (long y = 0; y < ny; y++) {
            along(squares + y * nx, step[0], nz, plane, nx, &block);
            for (long z = 0; z < nz; z++)
                for (long x = 0; x < nx; x += NAMED(ROOTS)) {
                    long at = z * plane + y * nx + x, left = nx - x;
                    roots(squares + at, inside ? inside + at : NULL, unit, distance + at,
                          left < NAMED(ROOTS) ? left : NAMED(ROOTS));
                }
        }
    }
    int missing = !(lanes && chosen);
    free(lanes);
    free(chosen);
    return missing;
}

#undef LANES
#undef Lanes
#undef Wholes
#undef Pairs
#undef Square
#undef Block
#undef any
#undef choose
#undef consider
#undef search
#undef search_rows
#undef along
#undef along_row
#undef roots
