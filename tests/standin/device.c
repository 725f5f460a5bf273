#include "standin/device.h"

#include <criterion/criterion.h>

#include "standin/launches.h"

const jc_cuda_backend jt_standin_backend =
    JC_CUDA_BACKEND_INIT("standin", "the device backend on a stand-in of a device", &jt_standin_api);

bool jt_device_there(void)
{
#ifdef JT_HAS_KERNELS
    return true;
#else
    return false;
#endif
}

void jt_device_begin(uint64_t seed, const jt_standin_config *config)
{
    cr_assert_eq(jt_launches_begin(seed, config), 0);
}

void jt_device_expect_clean(const char *what)
{
    jt_standin_drain();
    if (*jt_launches_first()) cr_assert_fail("%s: %s", what, jt_launches_first());
    if (jt_standin_found_any()) cr_assert_fail("%s: %s", what, jt_standin_first());
}

void jt_device_end(const char *what)
{
    jt_device_expect_clean(what);
    if (jt_standin_leaks()) cr_assert_fail("%s: %s", what, jt_standin_first());
    cr_assert_eq(jt_standin_unseen_errors(), 0, "%s: an error was not asked for", what);
}
