/* What the sources share about masks as bits. */
#ifndef VOXK8S_BITS_H
#define VOXK8S_BITS_H

#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#if defined(__x86_64__) && defined(__gnu_linux__)
/* The processor that runs decides; whole numbers are the same on all of them. */
#define FOR_EACH_CPU __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_CPU
#endif

enum { BITS = 64 };

/* The number of words of a row. */
#define WORDS(width) (((width) + BITS - 1) / BITS)

#endif
