/* Connected components of masks as bits.
 *
 * The runs of true voxels along x are the elements of a union-find forest (Tarjan, JACM 1975), in
 * which the root of a component is its first run. Whole words of two rows show at once where their
 * runs touch, and what is asked about components is answered run by run: single voxels are neither
 * visited nor labelled.
 */
#include "bits.h"

#include <stdlib.h>
#include <string.h>

/* The runs of a volume, numbered in the order of their first voxels. */
typedef struct {
    const uint64_t *words; /* the volume */
    uint64_t *starts;      /* the first voxel of every run */
    uint32_t *before;      /* the number of runs that start before each word */
    uint32_t *root;        /* the root of each run */
    int64_t rows, line;
} Runs;

typedef struct {
    int32_t first, last;
} Run;

INLINE uint64_t carry_up(const uint64_t *row, int64_t i) {
    return row[i] << 1 | (i ? row[i - 1] >> (BITS - 1) : 0);
}

INLINE uint64_t carry_down(const uint64_t *row, int64_t i, int64_t line) {
    return row[i] >> 1 | (i + 1 < line ? row[i + 1] << (BITS - 1) : 0);
}

/* Mark and count the starts of runs; return whether their number is within 32 bits. */
FOR_EACH_CPU
static int count_runs(Runs *runs) {
    int64_t count = 0, at = 0;
    for (int64_t row = 0; row < runs->rows; row++)
        for (int64_t i = 0; i < runs->line; i++, at++) {
            const uint64_t *words = runs->words + row * runs->line;
            runs->before[at] = (uint32_t)count;
            runs->starts[at] = words[i] & ~carry_up(words, i);
            count += __builtin_popcountll(runs->starts[at]);
        }
    runs->before[at] = (uint32_t)count;
    return count < UINT32_MAX;
}

/* The number of the last run that starts in the bits of word `at` up to the lowest of `bits`. */
INLINE uint32_t run_at(const Runs *runs, int64_t at, uint64_t bits) {
    uint64_t up_to = bits ^ (bits - 1);
    return runs->before[at] + (uint32_t)__builtin_popcountll(runs->starts[at] & up_to) - 1;
}

INLINE uint32_t find(uint32_t *parent, uint32_t run) {
    while (parent[run] != run) run = parent[run] = parent[parent[run]];
    return run;
}

INLINE void join(uint32_t *parent, uint32_t a, uint32_t b) {
    if (parent[a] == parent[b]) return;
    a = find(parent, a), b = find(parent, b);
    if (a < b) parent[b] = a;
    else parent[a] = b;
}

/* Join the runs of two rows that share a voxel's place, or unless `faces`, are next to each other.
 *
 * For each such pair there is one voxel up to which both are the last run of their row to start:
 * the first place they share, or, if one ends before the other starts, that start.
 */
INLINE void join_rows(const Runs *runs, int64_t row, int64_t other, int faces) {
    int64_t a = row * runs->line, b = other * runs->line;
    const uint64_t *words_a = runs->words + a, *words_b = runs->words + b;
    uint64_t shared_before = 0;
    for (int64_t i = 0; i < runs->line; i++) {
        uint64_t shared = words_a[i] & words_b[i];
        uint64_t pairs = shared & ~(shared << 1 | shared_before);
        shared_before = shared >> (BITS - 1);
        if (!faces) {
            uint64_t after_a = carry_up(words_a, i) & ~words_a[i];
            uint64_t after_b = carry_up(words_b, i) & ~words_b[i];
            pairs |= (after_a & runs->starts[b + i]) | (after_b & runs->starts[a + i]);
        }
        for (; pairs; pairs &= pairs - 1)
            join(runs->root, run_at(runs, a + i, pairs), run_at(runs, b + i, pairs));
    }
}

static void release(Runs *runs) {
    free(runs->starts);
    free(runs->before);
    free(runs->root);
}

/* Find the runs of a volume and their roots; return 0, or 1 where memory is missing. */
FOR_EACH_CPU
static int find_runs(const uint64_t *words, const int64_t size[3], int faces, Runs *runs) {
    int64_t nz = size[0], ny = size[1], line = WORDS(size[2]);
    size_t all = (size_t)(nz * ny * line);
    *runs = (Runs){.words = words, .rows = nz * ny, .line = line};
    runs->starts = malloc((all + 1) * sizeof *runs->starts);
    runs->before = malloc((all + 1) * sizeof *runs->before);
    if (!(runs->starts && runs->before && count_runs(runs))) return 1;
    uint32_t count = runs->before[all], joined = 0;
    runs->root = malloc(((size_t)count + 1) * sizeof *runs->root);
    if (!runs->root) return 1;
    for (int64_t z = 0, row = 0; z < nz; z++)
        for (int64_t y = 0; y < ny; y++, row++) {
            uint32_t end = runs->before[(row + 1) * line];
            if (joined == end) continue;
            for (; joined < end; joined++) runs->root[joined] = joined;
            if (y) join_rows(runs, row, row - 1, faces);
            if (!z) continue;
            join_rows(runs, row, row - ny, faces);
            if (y && !faces) join_rows(runs, row, row - ny - 1, faces);
            if (y + 1 < ny && !faces) join_rows(runs, row, row - ny + 1, faces);
        }
    /* The parent of a run comes before it, so it has its root already. */
    for (uint32_t run = 0; run < count; run++) runs->root[run] = runs->root[runs->root[run]];
    return 0;
}

/* Give the runs of a row; `found` has space for one and half as many as voxels. */
INLINE void scan_row(const Runs *runs, int64_t row, Run *found) {
    const uint64_t *words = runs->words + row * runs->line;
    const uint64_t *starts = runs->starts + row * runs->line;
    Run *open = found, *closed = found;
    for (int64_t i = 0; i < runs->line; i++) {
        if (!words[i]) continue;
        int32_t base = (int32_t)(i * BITS);
        for (uint64_t at = starts[i]; at; at &= at - 1) open++->first = base + __builtin_ctzll(at);
        uint64_t ends = words[i] & ~carry_down(words, i, runs->line);
        for (; ends; ends &= ends - 1) closed++->last = base + __builtin_ctzll(ends);
    }
}

static Run *space_for_row(const Runs *runs) {
    return malloc(((size_t)runs->line * BITS / 2 + 1) * sizeof(Run));
}

/* Set the bits of a run. */
INLINE void set(uint64_t *row, Run run) {
    int32_t i = run.first / BITS, end = run.last / BITS;
    uint64_t from = ~(uint64_t)0 << run.first % BITS;
    uint64_t up_to = ~(uint64_t)0 >> (BITS - 1 - run.last % BITS);
    if (i == end) {
        row[i] |= from & up_to;
        return;
    }
    row[i] |= from;
    while (++i < end) row[i] = ~(uint64_t)0;
    row[end] |= up_to;
}

/* Write the runs whose root is chosen. */
FOR_EACH_CPU
static void write_chosen(const Runs *runs, const uint8_t *chosen, Run *space, uint64_t *result) {
    memset(result, 0, (size_t)(runs->rows * runs->line) * sizeof *result);
    for (int64_t row = 0; row < runs->rows; row++, result += runs->line) {
        uint32_t run = runs->before[row * runs->line], end = runs->before[(row + 1) * runs->line];
        if (run == end) continue;
        scan_row(runs, row, space);
        for (Run *each = space; run < end; run++, each++)
            if (chosen[runs->root[run]]) set(result, *each);
    }
}

/* Give the components of `mask` with a voxel in `seed`: 6-connected if `faces`, else 26-connected.
 *
 * Returns 0, or 1 where memory is missing.
 */
FOR_EACH_CPU
int voxk8s_reconstruct(const uint64_t *seed, const uint64_t *mask, const int64_t size[3], int faces,
                       uint64_t *result) {
    Runs runs;
    int missing = find_runs(mask, size, faces, &runs);
    int64_t all = runs.rows * runs.line;
    uint8_t *chosen = missing ? NULL : calloc((size_t)runs.before[all] + 1, 1);
    Run *space = missing ? NULL : space_for_row(&runs);
    missing = !(chosen && space);
    for (int64_t i = 0; !missing && i < all; i++) {
        uint64_t hits = seed[i] & mask[i];
        for (hits &= ~(hits << 1); hits; hits &= hits - 1)
            chosen[runs.root[run_at(&runs, i, hits)]] = 1;
    }
    if (!missing) write_chosen(&runs, chosen, space, result);
    free(chosen);
    free(space);
    release(&runs);
    return missing;
}

/* Choose the roots of the components with the most voxels; `voxels` is space for their numbers. */
static void choose_largest(const Runs *runs, Run *space, uint64_t *voxels, uint8_t *chosen) {
    uint64_t most = 0;
    for (int64_t row = 0; row < runs->rows; row++) {
        uint32_t run = runs->before[row * runs->line], end = runs->before[(row + 1) * runs->line];
        if (run == end) continue;
        scan_row(runs, row, space);
        for (Run *each = space; run < end; run++, each++) {
            uint64_t *sum = &voxels[runs->root[run]];
            *sum += (uint64_t)(each->last - each->first + 1);
            most = *sum > most ? *sum : most;
        }
    }
    for (uint32_t run = 0; run < runs->before[runs->rows * runs->line]; run++)
        chosen[run] = voxels[run] == most;
}

/* Give the 26-connected components of `mask` with the most voxels. Returns as above. */
int voxk8s_largest(const uint64_t *mask, const int64_t size[3], uint64_t *result) {
    Runs runs;
    int missing = find_runs(mask, size, 0, &runs);
    size_t count = missing ? 0 : runs.before[runs.rows * runs.line];
    uint64_t *voxels = missing ? NULL : calloc(count + 1, sizeof *voxels);
    uint8_t *chosen = missing ? NULL : malloc(count + 1);
    Run *space = missing ? NULL : space_for_row(&runs);
    missing = !(voxels && chosen && space);
    if (!missing) {
        choose_largest(&runs, space, voxels, chosen);
        write_chosen(&runs, chosen, space, result);
    }
    free(voxels);
    free(chosen);
    free(space);
    release(&runs);
    return missing;
}

INLINE void fill(float *from, const float *to, float label) {
    for (; from < to; from++) *from = label;
}

/* Number the 26-connected components from 1 in the order of their first voxels. Returns as above. */
FOR_EACH_CPU
int voxk8s_label(const uint64_t *mask, const int64_t size[3], float *labels) {
    Runs runs;
    int missing = find_runs(mask, size, 0, &runs);
    size_t count = missing ? 0 : runs.before[runs.rows * runs.line];
    uint32_t *number = missing ? NULL : malloc((count + 1) * sizeof *number), found = 0;
    Run *space = missing ? NULL : space_for_row(&runs);
    missing = !(number && space);
    for (int64_t row = 0; !missing && row < runs.rows; row++, labels += size[2]) {
        uint32_t run = runs.before[row * runs.line], end = runs.before[(row + 1) * runs.line];
        if (run < end) scan_row(&runs, row, space);
        int64_t x = 0;
        for (Run *each = space; run < end; run++, each++) {
            number[run] = runs.root[run] == run ? ++found : number[runs.root[run]];
            fill(labels + x, labels + each->first, 0);
            fill(labels + each->first, labels + each->last + 1, (float)number[run]);
            x = each->last + 1;
        }
        fill(labels + x, labels + size[2], 0);
    }
    free(number);
    free(space);
    release(&runs);
    return missing;
}
