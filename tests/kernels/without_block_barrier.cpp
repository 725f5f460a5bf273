/* The kernels once more, without barriers of the block. */
#define JT_WITHOUT_BLOCK_BARRIER
#define jc jt_without_block_barrier
#define jt_unsynchronised_launch jt_launch_without_block_barrier
#include "kernels/unsynchronised.inc"
