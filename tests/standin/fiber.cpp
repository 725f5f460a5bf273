#include "standin/fiber.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

/* swapcontext asks the kernel for the signal mask each time: on x86-64 a switch of our own takes its place. It saves
 * what the calling convention says a function keeps. */
#if defined(__x86_64__) && !defined(__SHSTK__)
#define OWN_SWITCH 1
extern "C" void jt_fiber_switch(void **save, void *load);
asm(R"(
.text
.globl jt_fiber_switch
.hidden jt_fiber_switch
.type jt_fiber_switch, @function
jt_fiber_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size jt_fiber_switch, .-jt_fiber_switch
)");
#endif

namespace jt
{

/* A guard page lies below each stack. */
static const size_t guard_bytes = 4096;
#ifdef WITH_ASAN
static const size_t stack_bytes = 128 * 1024;
#else
static const size_t stack_bytes = 60 * 1024;
#endif

struct fiber {
    void (*run)(void *);
    void *arg;
    unsigned char *stack;
#ifdef OWN_SWITCH
    void *inside, *outside;
#else
    ucontext_t inside, outside;
#endif
    const void *caller_stack; /* of the thread that entered */
    size_t caller_bytes;
    void *fake_stack, *caller_fake_stack;
};

/* fiber_enter names the fiber here for the first function on its stack. */
static thread_local fiber *entered;

static void arrive(fiber *f)
{
#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(f->fake_stack, &f->caller_stack, &f->caller_bytes);
#endif
    (void)f;
}

static void first()
{
    fiber *f = entered;
    arrive(f);
    f->run(f->arg);
    abort();
}

fiber *fiber_create(void (*run)(void *arg), void *arg)
{
    fiber *f = static_cast<fiber *>(calloc(1, sizeof *f));
    void *stack = mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!f || stack == MAP_FAILED || mprotect(stack, guard_bytes, PROT_NONE)) {
        fprintf(stderr, "no memory for the stacks of emulated threads\n");
        abort();
    }
    f->run = run;
    f->arg = arg;
    f->stack = static_cast<unsigned char *>(stack) + guard_bytes;
    return f;
}

#ifdef OWN_SWITCH
/* The stack as jt_fiber_switch expects it: six registers, then where to go; aligned as after a call. */
static void prepare(fiber *f)
{
    void **top = reinterpret_cast<void **>(f->stack + stack_bytes - 16);
    *--top = nullptr;
    *--top = reinterpret_cast<void *>(first);
    for (int i = 0; i < 6; i++) *--top = nullptr;
    f->inside = top;
}

static void go_in(fiber *f)
{
    jt_fiber_switch(&f->outside, f->inside);
}

static void go_out(fiber *f)
{
    jt_fiber_switch(&f->inside, f->outside);
}
#else
static void prepare(fiber *f)
{
    getcontext(&f->inside);
    f->inside.uc_stack.ss_sp = f->stack;
    f->inside.uc_stack.ss_size = stack_bytes;
    f->inside.uc_link = nullptr;
    makecontext(&f->inside, first, 0);
}

static void go_in(fiber *f)
{
    swapcontext(&f->outside, &f->inside);
}

static void go_out(fiber *f)
{
    swapcontext(&f->inside, &f->outside);
}
#endif

void fiber_begin(fiber *f)
{
#ifdef WITH_ASAN
    __asan_unpoison_memory_region(f->stack, stack_bytes);
    f->fake_stack = nullptr;
#endif
    prepare(f);
}

void fiber_destroy(fiber *f)
{
    munmap(f->stack - guard_bytes, guard_bytes + stack_bytes);
    free(f);
}

void fiber_enter(fiber *f)
{
    entered = f;
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(&f->caller_fake_stack, f->stack, stack_bytes);
#endif
    go_in(f);
#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(f->caller_fake_stack, nullptr, nullptr);
#endif
}

void fiber_leave(fiber *f, bool for_good)
{
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(for_good ? nullptr : &f->fake_stack, f->caller_stack, f->caller_bytes);
#endif
    (void)for_good;
    go_out(f);
    arrive(f);
}

} // namespace jt
