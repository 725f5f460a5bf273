#include "cli/command.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/safetensors_write.h"

extern char **environ;

enum { MAX_ARGUMENTS = 32 };

static const char *program = JC_COMMAND;

void use_command(const char *path)
{
    program = path ? path : JC_COMMAND;
}

static const char *input = "/dev/null";

void use_input(const char *path)
{
    input = path ? path : "/dev/null";
}

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f, "%s cannot be read", path);
    char *text = NULL;
    size_t used = 0, n = 0;
    do {
        used += n;
        text = realloc(text, used + 65537);
        n = fread(text + used, 1, 65536, f);
    } while (n);
    text[used] = '\0';
    fclose(f);
    return text;
}

run run_arguments(const char *const *arguments, const char *stdout_path)
{
    char out[] = "/tmp/jc-out-XXXXXX", err[] = "/tmp/jc-err-XXXXXX";
    char *argv[MAX_ARGUMENTS + 2] = {(char *)program};
    for (int i = 0; arguments[i]; i++) argv[i + 1] = (char *)arguments[i];
    close(mkstemp(out));
    close(mkstemp(err));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
    if (stdout_path && !strcmp(stdout_path, "-"))
        posix_spawn_file_actions_addclose(&actions, 1);
    else
        posix_spawn_file_actions_addopen(&actions, 1, stdout_path ? stdout_path : out, O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, err, O_WRONLY, 0);
    pid_t pid;
    int status;
    cr_assert_eq(posix_spawn(&pid, program, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    run r = {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_all(out), read_all(err)};
    unlink(out);
    unlink(err);
    return r;
}

void run_free(run *r)
{
    free(r->out);
    free(r->err);
}

static void collect(const char *first, va_list args, const char **arguments)
{
    int n = 0;
    for (const char *a = first; a; a = va_arg(args, const char *)) {
        cr_assert_lt(n, MAX_ARGUMENTS);
        arguments[n++] = a;
    }
    arguments[n] = NULL;
}

run run_command(const char *first, ...)
{
    const char *arguments[MAX_ARGUMENTS + 1];
    va_list args;
    va_start(args, first);
    collect(first, args, arguments);
    va_end(args);
    return run_arguments(arguments, NULL);
}

static run run_expecting(int code, const char *const *arguments)
{
    char line[512] = "jacchain";
    for (int i = 0; arguments[i] && strlen(line) + strlen(arguments[i]) + 2 < sizeof line; i++)
        strcat(strcat(line, " "), arguments[i]);
    run r = run_arguments(arguments, NULL);
    cr_assert_eq(r.code, code, "%s: exit code %d, expected %d\n%s", line, r.code, code, r.err);
    return r;
}

run expect_code(int code, const char *first, ...)
{
    const char *arguments[MAX_ARGUMENTS + 1];
    va_list args;
    va_start(args, first);
    collect(first, args, arguments);
    va_end(args);
    return run_expecting(code, arguments);
}

json_t *expect_json(int code, const char *first, ...)
{
    const char *arguments[MAX_ARGUMENTS + 1];
    va_list args;
    va_start(args, first);
    collect(first, args, arguments);
    va_end(args);
    run r = run_expecting(code, arguments);
    json_error_t error;
    json_t *root = json_loads(r.out, JSON_REJECT_DUPLICATES, &error);
    cr_assert(root, "standard output is not one JSON document: %s\n%s", error.text, r.out);
    run_free(&r);
    return root;
}

static char folder[64];

void folder_enter(void)
{
    strcpy(folder, "/tmp/jc-cli-XXXXXX");
    cr_assert(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

void folder_leave(void)
{
    char command[128];
    cr_assert_eq(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
    cr_assert_eq(system(command), 0);
}

void write_text(const char *name, const char *text)
{
    FILE *f = fopen(name, "wb");
    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

void write_matrix(const char *name, const char *tensor, int64_t rows, int64_t cols, const double *values)
{
    jc_tensor_spec spec = {tensor, JC_F64, cols ? 2 : 1, {rows, cols}};
    jc_safetensors_writer *writer;
    cr_assert_eq(jc_safetensors_create(NULL, name, &spec, 1, NULL, 0, &writer), JC_OK);
    cr_assert_eq(jc_safetensors_append(writer, 0, values, rows * (cols ? cols : 1) * 8), JC_OK);
    cr_assert_eq(jc_safetensors_commit(writer), JC_OK);
}

bool file_exists(const char *name)
{
    return access(name, F_OK) == 0;
}

bool file_holds(const char *name, const char *text)
{
    if (!file_exists(name)) return false;
    char *content = read_all(name);
    bool same = !strcmp(content, text);
    free(content);
    return same;
}

static bool same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) return json_number_value(a) == json_number_value(b);
    if (!json_is_array(a) || !json_is_array(b)) return json_equal(a, b);
    if (json_array_size(a) != json_array_size(b)) return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!same(json_array_get(a, i), json_array_get(b, i))) return false;
    return true;
}

bool json_same(const json_t *value, const char *expected)
{
    json_error_t error;
    json_t *e = json_loads(expected, JSON_DECODE_ANY, &error);
    cr_assert(e, "%s: %s", expected, error.text);
    bool equal = value && same(value, e);
    if (!equal) {
        char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
        cr_log_error("%s, expected %s", text ? text : "nothing", expected);
        free(text);
    }
    json_decref(e);
    return equal;
}

json_t *json_at(json_t *root, const char *path)
{
    while (root && *path) {
        char name[64];
        size_t n = strcspn(path, "/");
        snprintf(name, sizeof name, "%.*s", (int)n, path);
        root = json_is_array(root) ? json_array_get(root, strtoul(name, NULL, 10)) : json_object_get(root, name);
        path += n + (path[n] == '/');
    }
    return root;
}
