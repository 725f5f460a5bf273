/* What every call passes through: the lock, counts, faults, the last error of the thread, and what a run window and a
 * capture forbid. */
#define _GNU_SOURCE
#include "standin/internal.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { RUNTIME = 0, BLAS = 1, ASKS = 2, WORKS = 4, NOT_IN_RUN = 8, NOT_IN_CAPTURE = 16 };

/* code: a plausible one for the function. */
typedef struct call_row {
    const char *name;
    int code;
    unsigned flags;
} call_row;

static const call_row row[JT_CALL_COUNT] = {
    [JT_DRIVER_VERSION] = {"driver_version", JT_E_VALUE, ASKS},
    [JT_RUNTIME_VERSION] = {"runtime_version", JT_E_VALUE, ASKS},
    [JT_DEVICE_COUNT] = {"device_count", 999, RUNTIME},
    [JT_PROPERTIES] = {"properties", JT_E_DEVICE, RUNTIME},
    [JT_DEVICE_GET] = {"device_get", 3, RUNTIME},
    [JT_DEVICE_SET] = {"device_set", 46, RUNTIME},
    [JT_MEMORY_INFO] = {"memory_info", 3, RUNTIME},
    [JT_ALLOCATE] = {"allocate", JC_GPU_NO_MEMORY, NOT_IN_RUN | NOT_IN_CAPTURE},
    [JT_RELEASE] = {"release", JT_E_VALUE, NOT_IN_RUN | NOT_IN_CAPTURE},
    [JT_ALLOCATE_PINNED] = {"allocate_pinned", JC_GPU_NO_MEMORY, NOT_IN_RUN | NOT_IN_CAPTURE},
    [JT_RELEASE_PINNED] = {"release_pinned", JT_E_VALUE, NOT_IN_RUN | NOT_IN_CAPTURE},
    [JT_COPY] = {"copy", JT_E_VALUE, WORKS},
    [JT_COPY_2D] = {"copy_2d", JT_E_VALUE, WORKS},
    [JT_FILL] = {"fill", JT_E_VALUE, WORKS},
    [JT_STREAM_CREATE] = {"stream_create", JC_GPU_NO_MEMORY, NOT_IN_RUN},
    [JT_STREAM_DESTROY] = {"stream_destroy", JT_E_HANDLE, NOT_IN_RUN},
    [JT_STREAM_SYNCHRONIZE] = {"stream_synchronize", 719, NOT_IN_RUN},
    [JT_STREAM_WAIT] = {"stream_wait", JT_E_HANDLE, WORKS},
    [JT_EVENT_CREATE] = {"event_create", JC_GPU_NO_MEMORY, NOT_IN_RUN},
    [JT_EVENT_DESTROY] = {"event_destroy", JT_E_HANDLE, NOT_IN_RUN},
    [JT_EVENT_RECORD] = {"event_record", JT_E_HANDLE, WORKS},
    [JT_EVENT_SYNCHRONIZE] = {"event_synchronize", 719, NOT_IN_RUN},
    [JT_CAPTURE_STATE] = {"capture_state", JT_E_HANDLE, RUNTIME},
    [JT_CAPTURE_BEGIN] = {"capture_begin", JT_E_VALUE, WORKS},
    [JT_CAPTURE_END] = {"capture_end", JC_GPU_NO_MEMORY, RUNTIME},
    [JT_GRAPH_DESTROY] = {"graph_destroy", JT_E_VALUE, RUNTIME},
    [JT_EXEC_CREATE] = {"exec_create", JC_GPU_NO_MEMORY, NOT_IN_RUN | NOT_IN_CAPTURE},
    [JT_EXEC_UPDATE] = {"exec_update", JT_E_VALUE, RUNTIME},
    [JT_EXEC_LAUNCH] = {"exec_launch", JC_GPU_NO_MEMORY, WORKS},
    [JT_EXEC_DESTROY] = {"exec_destroy", JT_E_VALUE, NOT_IN_RUN | NOT_IN_CAPTURE},
    [JT_LAST_ERROR] = {"last_error", 0, ASKS},
    [JT_KERNELS_LOAD] = {"kernels_load", 209, NOT_IN_RUN | NOT_IN_CAPTURE},
    [JT_LAUNCH] = {"launch", 701, WORKS},
    [JT_BLAS_LOAD] = {"blas_load", JT_B_NOT_INITIALIZED, BLAS | ASKS | NOT_IN_RUN},
    [JT_BLAS_VERSION] = {"blas_version", JT_B_NOT_INITIALIZED, BLAS | ASKS},
    [JT_BLAS_CREATE] = {"blas_create", JC_GPU_BLAS_NO_MEMORY, BLAS | NOT_IN_RUN | NOT_IN_CAPTURE},
    [JT_BLAS_DESTROY] = {"blas_destroy", JT_B_NOT_INITIALIZED, BLAS | NOT_IN_RUN | NOT_IN_CAPTURE},
    [JT_BLAS_SAVE] = {"blas_save", JT_B_NOT_INITIALIZED, BLAS},
    [JT_BLAS_RESTORE] = {"blas_restore", JT_B_NOT_INITIALIZED, BLAS},
    [JT_BLAS_CONFIGURE] = {"blas_configure", JT_B_NOT_INITIALIZED, BLAS},
    [JT_BLAS_PRODUCT] = {"blas_product", JT_B_EXECUTION, BLAS | WORKS},
};

static struct {
    int64_t count[JT_CALL_COUNT], calls;
    int64_t until_any, until_one, until_operation, until_lost;
    jt_call one, failed_call;
    int any_code, one_code, operation_code, lost_code;
    bool failed, in_run;
    int64_t in_run_calls;
    int64_t passed_over, pending; /* errors: followed by work, not asked for yet */
} fault;

/* Of a thread, since the reset with that number. */
typedef struct thread_state {
    uint64_t generation;
    int error, device;
    bool passed_over;
} thread_state;

static _Thread_local thread_state mine;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t mutex;

static void make_mutex(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

void jt_lock(void)
{
    pthread_once(&once, make_mutex);
    pthread_mutex_lock(&mutex);
}

void jt_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

static thread_state *thread(void)
{
    if (mine.generation != jt_device.generation) mine = (thread_state){.generation = jt_device.generation};
    return &mine;
}

int *jt_thread_device(void)
{
    return &thread()->device;
}

const char *jt_call_name(jt_call call)
{
    return row[call].name;
}

/* ---- entering ---------------------------------------------------------------------------------------------------- */

void jt_forbidden_in_run(const char *what)
{
    if (!fault.in_run) return;
    fault.in_run_calls++;
    jt_note(JT_IN_RUN, "%s", what);
}

/* The device's state as a code: there is none, or it is lost. */
static int device_code(jt_call call)
{
    bool is_blas = row[call].flags & BLAS;
    if (row[call].flags & ASKS) return 0;
    if (jt_device.config.driver_version == 0) return is_blas ? JT_B_NOT_INITIALIZED : JT_E_DRIVER;
    if (jt_device.config.devices == 0) return is_blas ? JT_B_NOT_INITIALIZED : JT_E_NO_DEVICE;
    if (jt_device.lost) return is_blas ? JT_B_EXECUTION : jt_device.lost;
    return 0;
}

static bool comes_now(int64_t *until)
{
    return *until > 0 && --*until == 0;
}

static int injected_code(jt_call call)
{
    bool any = comes_now(&fault.until_any);
    bool one = call == fault.one && comes_now(&fault.until_one);
    if (!any && !one) return 0;
    fault.failed = true;
    fault.failed_call = call;
    int code = any ? fault.any_code : fault.one_code;
    return code ? code : row[call].code;
}

static int capture_code(jt_call call)
{
    if (!(row[call].flags & NOT_IN_CAPTURE) || !jt_capture_here()) return 0;
    jt_note(JT_CAPTURE, "%s while this thread captures", row[call].name);
    jt_capture_break_here();
    return row[call].flags & BLAS ? JT_B_INTERNAL : JT_E_UNSUPPORTED;
}

static void pass_over(jt_call call)
{
    thread_state *t = thread();
    if (!(row[call].flags & WORKS) || !t->error || t->passed_over) return;
    t->passed_over = true;
    fault.passed_over++;
    fault.pending--;
}

int jt_enter(jt_call call)
{
    jt_lock();
    if (!jt_device.begun) jt_standin_reset(NULL);
    jt_memory_note_touch();
    memset(jt_device.in_operation, 0, sizeof jt_device.in_operation);
    fault.count[call]++;
    if (call == JT_LAST_ERROR) return 0;
    fault.calls++;
    pass_over(call);
    if (row[call].flags & NOT_IN_RUN) jt_forbidden_in_run(row[call].name);
    if (comes_now(&fault.until_lost)) jt_device.lost = fault.lost_code;
    int code = device_code(call);
    if (!code) code = injected_code(call);
    return code ? code : capture_code(call);
}

int jt_leave(jt_call call, int code)
{
    thread_state *t = thread();
    if (code && !(row[call].flags & BLAS) && call != JT_LAST_ERROR) {
        fault.pending += !t->error || t->passed_over;
        t->passed_over = false;
        t->error = code;
    }
    jt_memory_close();
    jt_unlock();
    return code;
}

int jt_last_error(void)
{
    jt_enter(JT_LAST_ERROR);
    thread_state *t = thread();
    int code = jt_device.lost ? jt_device.lost : t->error;
    if (t->error && !t->passed_over) fault.pending--;
    t->error = 0;
    t->passed_over = false;
    return jt_leave(JT_LAST_ERROR, code);
}

/* ---- for tests --------------------------------------------------------------------------------------------------- */

void jt_fault_reset(void)
{
    memset(&fault, 0, sizeof fault);
}

int64_t jt_standin_count(jt_call call)
{
    jt_lock();
    int64_t count = fault.count[call];
    jt_unlock();
    return count;
}

int64_t jt_standin_calls(void)
{
    jt_lock();
    int64_t calls = fault.calls;
    jt_unlock();
    return calls;
}

void jt_standin_fail_after(int64_t n, int code)
{
    jt_lock();
    fault.until_any = n;
    fault.any_code = code;
    fault.failed = false;
    jt_unlock();
}

void jt_standin_fail_call(jt_call call, int64_t n, int code)
{
    jt_lock();
    fault.one = call;
    fault.until_one = n;
    fault.one_code = code;
    fault.failed = false;
    jt_unlock();
}

bool jt_standin_failed(void)
{
    jt_lock();
    bool failed = fault.failed;
    jt_unlock();
    return failed;
}

jt_call jt_standin_failed_call(void)
{
    jt_lock();
    jt_call call = fault.failed_call;
    jt_unlock();
    return call;
}

void jt_standin_lose_device(int code)
{
    jt_lock();
    jt_device.lost = code;
    jt_unlock();
}

void jt_standin_lose_after(int64_t n, int code)
{
    jt_lock();
    fault.until_lost = n;
    fault.lost_code = code;
    jt_unlock();
}

bool jt_standin_lost(void)
{
    jt_lock();
    bool lost = jt_device.lost != 0;
    jt_unlock();
    return lost;
}

void jt_standin_fail_operation(int64_t n, int code)
{
    jt_lock();
    fault.until_operation = n;
    fault.operation_code = code;
    jt_unlock();
}

int jt_fault_operation(void)
{
    return comes_now(&fault.until_operation) ? fault.operation_code : 0;
}

int64_t jt_standin_unseen_errors(void)
{
    jt_lock();
    int64_t unseen = fault.passed_over + fault.pending;
    jt_unlock();
    return unseen;
}

void jt_standin_run_begin(void)
{
    jt_lock();
    fault.in_run = true;
    fault.in_run_calls = 0;
    jt_unlock();
}

int64_t jt_standin_run_end(void)
{
    jt_lock();
    fault.in_run = false;
    int64_t calls = fault.in_run_calls;
    jt_unlock();
    return calls;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

typedef struct text_row {
    int code;
    const char *text;
} text_row;

static const char *text_of(const text_row *rows, size_t n, int code, const char *unknown)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].code == code) return rows[i].text;
    return unknown;
}

const char *jt_error_text(int code)
{
    static const text_row text[] = {
        {0, "no error (cudaSuccess)"},
        {1, "invalid argument (cudaErrorInvalidValue)"},
        {2, "out of memory (cudaErrorMemoryAllocation)"},
        {3, "initialization error (cudaErrorInitializationError)"},
        {9, "invalid configuration argument (cudaErrorInvalidConfiguration)"},
        {12, "invalid pitch argument (cudaErrorInvalidPitchValue)"},
        {21, "invalid copy direction for memcpy (cudaErrorInvalidMemcpyDirection)"},
        {35, "CUDA driver version is insufficient for CUDA runtime version (cudaErrorInsufficientDriver)"},
        {46, "CUDA-capable device(s) is/are busy or unavailable (cudaErrorDevicesUnavailable)"},
        {98, "invalid device function (cudaErrorInvalidDeviceFunction)"},
        {100, "no CUDA-capable device is detected (cudaErrorNoDevice)"},
        {101, "invalid device ordinal (cudaErrorInvalidDevice)"},
        {209, "no kernel image is available for execution on the device (cudaErrorNoKernelImageForDevice)"},
        {214, "uncorrectable ECC error encountered (cudaErrorECCUncorrectable)"},
        {400, "invalid resource handle (cudaErrorInvalidResourceHandle)"},
        {401, "the operation cannot be performed in the present state (cudaErrorIllegalState)"},
        {700, "an illegal memory access was encountered (cudaErrorIllegalAddress)"},
        {701, "too many resources requested for launch (cudaErrorLaunchOutOfResources)"},
        {716, "misaligned address (cudaErrorMisalignedAddress)"},
        {719, "unspecified launch failure (cudaErrorLaunchFailure)"},
        {900, "operation not permitted when stream is capturing (cudaErrorStreamCaptureUnsupported)"},
        {901, "operation failed due to a previous error during capture (cudaErrorStreamCaptureInvalidated)"},
        {902, "operation would result in a merge of separate capture sequences (cudaErrorStreamCaptureMerge)"},
        {903, "capture was not ended in the same stream as it began (cudaErrorStreamCaptureUnmatched)"},
        {904, "capturing stream has unjoined work (cudaErrorStreamCaptureUnjoined)"},
        {905, "dependency created on uncaptured work in another stream (cudaErrorStreamCaptureIsolation)"},
        {906, "operation would make the legacy stream depend on a capturing blocking stream "
              "(cudaErrorStreamCaptureImplicit)"},
        {907, "operation not permitted on an event last recorded in a capturing stream (cudaErrorCapturedEvent)"},
        {908, "attempt to terminate a thread-local capture sequence from another thread "
              "(cudaErrorStreamCaptureWrongThread)"},
        {912, "invalid cluster size (cudaErrorInvalidClusterSize)"},
        {999, "unknown error (cudaErrorUnknown)"},
    };
    return text_of(text, sizeof text / sizeof *text, code, "unrecognized error code");
}

const char *jt_blas_error_text(int code)
{
    static const text_row text[] = {
        {0, "the cuBLAS library was not used or succeeded (CUBLAS_STATUS_SUCCESS)"},
        {1, "the cuBLAS library was not initialized (CUBLAS_STATUS_NOT_INITIALIZED)"},
        {3, "resource allocation failed inside the cuBLAS library (CUBLAS_STATUS_ALLOC_FAILED)"},
        {7, "an unsupported value or parameter was passed to the function (CUBLAS_STATUS_INVALID_VALUE)"},
        {13, "the GPU program failed to execute (CUBLAS_STATUS_EXECUTION_FAILED)"},
        {14, "an internal cuBLAS operation failed (CUBLAS_STATUS_INTERNAL_ERROR)"},
        {15, "the functionality requested is not supported (CUBLAS_STATUS_NOT_SUPPORTED)"},
    };
    return text_of(text, sizeof text / sizeof *text, code, "unknown cuBLAS status");
}
