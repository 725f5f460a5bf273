/* A sanitizer makes the tests several times slower: where one watches, those that draw many cases take a quarter of
 * them, at least four. */
#ifndef TEST_SUPPORT_SANITIZED_H
#define TEST_SUPPORT_SANITIZED_H

#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { JT_SANITIZED = 1 };
#else
enum { JT_SANITIZED = 0 };
#endif

static inline int64_t jt_cases(int64_t usual)
{
    int64_t part = (usual + 3) / 4, least = usual < 4 ? usual : 4;
    return !JT_SANITIZED ? usual : part > least ? part : least;
}

#endif
