/* Records of products: written, replayed, and noticed when a number is another. A record made on a device is replayed
 * where there is one: tests/data/products.txt. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "standin/record.h"
#include "standin/standin.h"

static void make_path(char path[64])
{
    strcpy(path, "/tmp/jacchain_products_XXXXXX");
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
}

static int64_t record(const char *path)
{
    jt_standin_reset(NULL);
    const jc_gpu_api *api = jt_record_begin(&jt_standin_api, path);
    cr_assert_not_null(api);
    cr_assert_eq(jt_record_suite(api, 7), 0, "%s", jt_standin_first());
    return jt_record_end();
}

Test(standin_record, record_and_replay)
{
    char path[64];
    struct stat about;
    jt_replay replay;
    make_path(path);
    int64_t records = record(path);
    cr_assert_gt(records, 200);
    cr_assert_eq(stat(path, &about), 0);
    cr_assert_lt(about.st_size, 1000000);
    cr_assert_eq(jt_standin_leaks(), 0, "%s", jt_standin_first());
    jt_standin_reset(NULL);
    cr_assert_eq(jt_record_replay(&jt_standin_api, path, &replay), 0, "%s", replay.message);
    cr_assert_eq(replay.records, records);
    cr_assert_eq(replay.wrong, 0, "%s", replay.message);
    cr_assert_eq(replay.worst, 0, "the same loops on the same numbers");
    cr_assert_gt(replay.samples, 2 * records);
    cr_assert_eq(jt_standin_leaks(), 0, "%s", jt_standin_first());
    cr_assert_eq(jt_standin_found_any(), 0, "%s", jt_standin_first());
    unlink(path);
}

/* A stand-in whose product is wrong in one way. */
static int (*distort)(jc_gpu_product *p);

static int wrong_product(jc_gpu_blas handle, const jc_gpu_product *p)
{
    jc_gpu_product q = *p;
    int code = distort(&q);
    return code ? code : jt_standin_api.blas_product(handle, &q);
}

static int other_beta(jc_gpu_product *p)
{
    p->beta = p->beta == 1 ? 0 : p->beta;
    return 0;
}

static int other_step(jc_gpu_product *p)
{
    if (p->lda > (p->transpose_a ? p->k : p->m)) p->lda--;
    return 0;
}

static int other_order(jc_gpu_product *p)
{
    if (p->m == p->k && p->form != JC_GPU_POINTERS) p->transpose_a = !p->transpose_a;
    return 0;
}

Test(standin_record, wrong_products_are_noticed)
{
    static int (*const ways[])(jc_gpu_product *) = {other_beta, other_step, other_order};
    char path[64];
    make_path(path);
    record(path);
    jc_gpu_api wrong = jt_standin_api;
    wrong.blas_product = wrong_product;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        jt_replay replay;
        jt_standin_reset(NULL);
        distort = ways[i];
        cr_expect_eq(jt_record_replay(&wrong, path, &replay), 0, "%s", replay.message);
        cr_expect_gt(replay.wrong, 0, "way %zu", i);
        cr_expect_lt(replay.wrong, replay.samples, "way %zu", i);
    }
    unlink(path);
}

Test(standin_record, files_that_are_none)
{
    static const char *const text[] = {"", "jacchain products 2\n", "jacchain products 1\nproduct 0 0 0\n",
                                       "jacchain products 1\nnonsense\n",
                                       "jacchain products 1\nproduct 0 0 0 0 0 1 1 1 1 1 1 1 1 1 0 0 0 0 0\n"
                                       "sample 0 0 1 0 0\n"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        char path[64];
        jt_replay replay;
        make_path(path);
        FILE *file = fopen(path, "w");
        fputs(text[i], file);
        fclose(file);
        jt_standin_reset(NULL);
        cr_expect_neq(jt_record_replay(&jt_standin_api, path, &replay), 0, "case %zu", i);
        cr_expect_gt(strlen(replay.message), 0);
        unlink(path);
    }
}

Test(standin_record, record_of_a_device)
{
    const char *path = JC_TEST_DATA "/products.txt";
    jt_replay replay;
    if (access(path, R_OK) != 0) return;
    jt_standin_reset(NULL);
    cr_assert_eq(jt_record_replay(&jt_standin_api, path, &replay), 0, "%s", replay.message);
    cr_assert_gt(replay.records, 0);
    cr_assert_eq(replay.wrong, 0, "%s", replay.message);
}
