/* Percentile ranks, by a radix sort of values with their places. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 3 };

typedef struct {
    uint32_t key, place;
} Entry;

/* A number of the order of the value: 0 and -0 are equal, NaN are equal and above all others. */
static uint32_t ordered(float value) {
    uint32_t bits;
    value = isnan(value) ? NAN : value + 0.0f; /* -0 + 0 is 0 */
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value)) return UINT32_MAX;
    return bits >> 31 ? ~bits : bits | 0x80000000;
}

static uint32_t digit(uint32_t key, int pass) { return key >> (pass * DIGIT_BITS) & (DIGITS - 1); }

/* Sort entries by their keys; return the one of both spaces in which they are. */
static Entry *sort(Entry *entries, Entry *space, size_t count, uint32_t (*found)[DIGITS]) {
    for (int pass = 0; pass < PASSES; pass++) {
        uint32_t *at = found[pass], before = 0;
        if (at[digit(entries[0].key, pass)] == count) continue; /* all have the same digit */
        for (int i = 0; i < DIGITS; i++) {
            uint32_t here = at[i];
            at[i] = before;
            before += here;
        }
        for (size_t i = 0; i < count; i++) space[at[digit(entries[i].key, pass)]++] = entries[i];
        Entry *swap = entries;
        entries = space, space = swap;
    }
    return entries;
}

/* Give the rank of each of `all` < 2^32 values among those whose `mask` is not 0, else -1.
 *
 * A rank is (smaller values + `correction` * equal values, itself included) / values. Returns 0, or
 * 1 where memory is missing.
 */
int voxk8s_ranks(const float *values, const uint8_t *mask, int64_t all, double correction,
                 float *ranks) {
    size_t count = 0;
    for (int64_t i = 0; i < all; i++) count += mask[i] != 0;
    for (int64_t i = 0; i < all; i++) ranks[i] = -1;
    if (!count) return 0;
    Entry *entries = malloc(count * sizeof *entries), *space = malloc(count * sizeof *space);
    uint32_t (*found)[DIGITS] = calloc(PASSES, sizeof *found);
    int missing = !(entries && space && found);
    if (!missing) {
        size_t filled = 0;
        for (int64_t i = 0; i < all; i++) {
            if (!mask[i]) continue;
            uint32_t key = ordered(values[i]);
            entries[filled++] = (Entry){key, (uint32_t)i};
            for (int pass = 0; pass < PASSES; pass++) found[pass][digit(key, pass)]++;
        }
        const Entry *sorted = sort(entries, space, count, found);
        for (size_t first = 0, end; first < count; first = end) {
            for (end = first + 1; end < count && sorted[end].key == sorted[first].key;) end++;
            double rank = ((double)first + correction * (double)(end - first)) / (double)count;
            for (size_t i = first; i < end; i++) ranks[sorted[i].place] = (float)rank;
        }
    }
    free(entries);
    free(space);
    free(found);
    return missing;
}
