/* The part of Criterion that the tests use, for places where Criterion itself does not start: under the thread
 * sanitizer, or in valgrind (-DJACCHAIN_PLAIN_TESTS=ON). Each test is a forked process, as there. */
#ifndef PLAIN_CRITERION_H
#define PLAIN_CRITERION_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct plain_settings {
    void (*init)(void), (*fini)(void);
    int timeout; /* seconds; 0: the runner's */
    const char *description;
} plain_settings;

/* A test, or where run is NULL the settings of a suite. */
typedef struct plain_test {
    const char *suite, *name;
    void (*run)(void);
    plain_settings settings;
    struct plain_test *next;
} plain_test;

void plain_register(plain_test *test);

/* Prints a failed check; fatal ones end the test. */
void plain_check(bool holds, bool fatal, const char *file, int line, const char *what, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#define Test(SUITE, NAME, ...)                                                                                         \
    static void SUITE##_##NAME(void);                                                                                  \
    __attribute__((constructor)) static void SUITE##_##NAME##_register(void)                                           \
    {                                                                                                                  \
        static plain_test test = {#SUITE, #NAME, SUITE##_##NAME, {__VA_ARGS__}, NULL};                                 \
        plain_register(&test);                                                                                         \
    }                                                                                                                  \
    static void SUITE##_##NAME(void)

#define TestSuite(SUITE, ...)                                                                                          \
    __attribute__((constructor)) static void SUITE##_suite_register(void)                                              \
    {                                                                                                                  \
        static plain_test suite = {#SUITE, NULL, NULL, {__VA_ARGS__}, NULL};                                           \
        plain_register(&suite);                                                                                        \
    }                                                                                                                  \
    struct plain_test

#define PLAIN(FATAL, WHAT, HOLDS, ...) plain_check((HOLDS), FATAL, __FILE__, __LINE__, WHAT, " " __VA_ARGS__)
#define PLAIN_OP(FATAL, A, OP, B, ...) PLAIN(FATAL, #A " " #OP " " #B, (A)OP(B), __VA_ARGS__)
#define PLAIN_STR(FATAL, A, B, ...) PLAIN(FATAL, "text " #A " is " #B, strcmp((A), (B)) == 0, __VA_ARGS__)
#define PLAIN_STR_NOT(FATAL, A, B, ...) PLAIN(FATAL, "text " #A " is not " #B, strcmp((A), (B)) != 0, __VA_ARGS__)

#define cr_assert(C, ...) PLAIN(true, #C, (bool)(C), __VA_ARGS__)
#define cr_assert_not(C, ...) PLAIN(true, "not " #C, !(C), __VA_ARGS__)
#define cr_assert_fail(...) PLAIN(true, "failed", false, __VA_ARGS__)
#define cr_assert_null(P, ...) PLAIN(true, #P " is NULL", (P) == NULL, __VA_ARGS__)
#define cr_assert_not_null(P, ...) PLAIN(true, #P " is not NULL", (P) != NULL, __VA_ARGS__)
#define cr_assert_eq(A, B, ...) PLAIN_OP(true, A, ==, B, __VA_ARGS__)
#define cr_assert_neq(A, B, ...) PLAIN_OP(true, A, !=, B, __VA_ARGS__)
#define cr_assert_gt(A, B, ...) PLAIN_OP(true, A, >, B, __VA_ARGS__)
#define cr_assert_lt(A, B, ...) PLAIN_OP(true, A, <, B, __VA_ARGS__)
#define cr_assert_geq(A, B, ...) PLAIN_OP(true, A, >=, B, __VA_ARGS__)
#define cr_assert_leq(A, B, ...) PLAIN_OP(true, A, <=, B, __VA_ARGS__)
#define cr_assert_str_eq(A, B, ...) PLAIN_STR(true, A, B, __VA_ARGS__)
#define cr_assert_float_eq(A, B, E, ...) PLAIN(true, #A " is about " #B, fabs((A) - (B)) <= (E), __VA_ARGS__)
#define cr_assert_str_neq(A, B, ...) PLAIN_STR_NOT(true, A, B, __VA_ARGS__)
#define cr_assert_str_empty(S, ...) PLAIN(true, "text " #S " is empty", *(S) == 0, __VA_ARGS__)
#define cr_assert_str_not_empty(S, ...) PLAIN(true, "text " #S " is not empty", *(S) != 0, __VA_ARGS__)

#define cr_expect(C, ...) PLAIN(false, #C, (bool)(C), __VA_ARGS__)
#define cr_expect_not(C, ...) PLAIN(false, "not " #C, !(C), __VA_ARGS__)
#define cr_expect_null(P, ...) PLAIN(false, #P " is NULL", (P) == NULL, __VA_ARGS__)
#define cr_expect_not_null(P, ...) PLAIN(false, #P " is not NULL", (P) != NULL, __VA_ARGS__)
#define cr_expect_eq(A, B, ...) PLAIN_OP(false, A, ==, B, __VA_ARGS__)
#define cr_expect_neq(A, B, ...) PLAIN_OP(false, A, !=, B, __VA_ARGS__)
#define cr_expect_gt(A, B, ...) PLAIN_OP(false, A, >, B, __VA_ARGS__)
#define cr_expect_lt(A, B, ...) PLAIN_OP(false, A, <, B, __VA_ARGS__)
#define cr_expect_geq(A, B, ...) PLAIN_OP(false, A, >=, B, __VA_ARGS__)
#define cr_expect_leq(A, B, ...) PLAIN_OP(false, A, <=, B, __VA_ARGS__)
#define cr_expect_str_eq(A, B, ...) PLAIN_STR(false, A, B, __VA_ARGS__)
#define cr_expect_str_neq(A, B, ...) PLAIN_STR_NOT(false, A, B, __VA_ARGS__)
#define cr_expect_str_empty(S, ...) PLAIN(false, "text " #S " is empty", *(S) == 0, __VA_ARGS__)
#define cr_expect_str_not_empty(S, ...) PLAIN(false, "text " #S " is not empty", *(S) != 0, __VA_ARGS__)
#define cr_expect_fail(...) PLAIN(false, "failed", false, __VA_ARGS__)
#define cr_expect_float_eq(A, B, E, ...) PLAIN(false, #A " is about " #B, fabs((A) - (B)) <= (E), __VA_ARGS__)

#define cr_log_error(...) PLAIN(true, "note", true, __VA_ARGS__)

#endif
