/* The kernels once more, without barriers of the warp. */
#define JT_WITHOUT_WARP_BARRIER
#define jc jt_without_warp_barrier
#define jt_unsynchronised_launch jt_launch_without_warp_barrier
#include "kernels/unsynchronised.inc"
