/* Sums by label. */
#include <stdint.h>

/* Add each of `all` values, in their order, to the sum of its label, and count it. Returns 0. */
int voxk8s_sums_by_label(const int64_t *labels, const float *values, int64_t all, double *sums,
                         int64_t *counts) {
    for (int64_t i = 0; i < all; i++) {
        sums[labels[i]] += (double)values[i];
        counts[labels[i]]++;
    }
    return 0;
}
