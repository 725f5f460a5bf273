/* What `info` says of CUDA: its devices and versions. Says nothing where the library was built without it. */
#ifndef JC_CLI_DEVICES_H
#define JC_CLI_DEVICES_H

#include "cli/emit.h"

/* One object for each device, into a list. */
void jc_emit_cuda_devices(jc_emit *e);

/* "cuda_runtime" and "cuda_driver" (null: there is no driver), into an object. */
void jc_emit_cuda_libraries(jc_emit *e);

/* The same as lines of text. */
void jc_print_cuda_devices(void);
void jc_print_cuda_libraries(void);

#endif
