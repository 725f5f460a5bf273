/* The kernels once more, without barriers of the cluster. */
#define JT_WITHOUT_CLUSTER_BARRIER
#define jc jt_without_cluster_barrier
#define jt_unsynchronised_launch jt_launch_without_cluster_barrier
#include "kernels/unsynchronised.inc"
