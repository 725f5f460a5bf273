/* jacchain COMMAND GRAPH [options]: the table of commands, and what is said without one. */
#include <cblas.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/help.h"
#include "cli/shrunk.h"
#include "core/nearest.h"

typedef struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* NULL: not there yet */
} command;

static const command commands[] = {
    {"total", "total derivatives of variables with respect to others", jc_cli_total},
    {"partial", "the local Jacobian between two variables", jc_cli_partial},
    {"vjp", "seed rows times a total derivative", jc_cli_vjp},
    {"jvp", "a total derivative times seed columns", jc_cli_jvp},
    {"check", "computes, and judges every variable by its own equation", jc_cli_check},
    {"paths", "how many paths there are, and a list of them with their norms", jc_cli_paths},
    {"factor", "the formula of a total derivative", jc_cli_factor},
    {"norms", "norms and singular values of dT/dV for every V", jc_cli_norms},
    {"plan", "what would be computed, in which order, at what cost", jc_cli_plan},
    {"draw", "the graph as a picture", jc_cli_draw},
    {"gen", "writes a graph of a named family with random Jacobians", jc_cli_gen},
    {"info", "version, backends, devices, libraries", jc_cli_info},
    {"bench", "times planning and evaluation", NULL},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static const command *find_command(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

static int refuse_command(const char *name)
{
    jc_nearest nearest = jc_nearest_begin(name, strlen(name));
    for (int i = 0; i < N_COMMANDS; i++) jc_nearest_offer(&nearest, commands[i].name);
    if (!nearest.found[0]) return jc_cli_usage_error(NULL, "unknown command '%s'", name);
    return jc_cli_usage_error(NULL, "unknown command '%s'; is %s meant?", name, nearest.found);
}

static int print_help(void)
{
    puts("jacchain COMMAND GRAPH [options]\n");
    jc_help_wrap(jc_help_about, 0, 0);
    puts("\nCommands (jacchain COMMAND --help says more):");
    for (int i = 0; i < N_COMMANDS; i++) {
        if (commands[i].run) printf("  %-10s%s\n", commands[i].name, commands[i].summary);
    }
    puts("  help      this, or what COMMAND --help prints: jacchain help COMMAND. help --man and help --bash\n"
         "            print the manual page and the completion for bash, help --variables GRAPH the names\n"
         "            of a graph's variables\n\nNot there yet:");
    for (int i = 0; i < N_COMMANDS; i++) {
        if (!commands[i].run) printf("  %-10s%s\n", commands[i].name, commands[i].summary);
    }
    puts("\nOptions:\n"
         "  --help      this\n"
         "  --version   the version\n\nExit codes:");
    for (int i = 0; jc_help_exit_codes[i]; i++) printf("  %d         %s\n", i, jc_help_exit_codes[i]);
    return JC_EXIT_DONE;
}

static int run_command(int argc, char **argv)
{
    const command *c = find_command(argv[0]);
    if (c && c->run) return c->run(argc, argv);
    if (c) return jc_cli_not_yet(NULL, "the command %s", c->name);
    return refuse_command(argv[0]);
}

/* What every command says of itself, as one text of another form. */
static int print_form(jc_help_form form)
{
    static char help[] = "--help";
    jc_help_begin(form);
    for (int i = 0; i < N_COMMANDS; i++) {
        char *command_help[] = {(char *)commands[i].name, help, NULL};
        if (commands[i].run) commands[i].run(2, command_help);
    }
    jc_help_end();
    return JC_EXIT_DONE;
}

/* jacchain help [COMMAND | --man | --bash | --variables GRAPH] */
static int run_help(int argc, char **argv)
{
    static char help[] = "--help";
    if (argc == 2 && strcmp(argv[1], "--man") == 0) return print_form(JC_HELP_MAN);
    if (argc == 2 && strcmp(argv[1], "--bash") == 0) return print_form(JC_HELP_BASH);
    if (argc == 3 && strcmp(argv[1], "--variables") == 0) return jc_cli_print_variables(argv[2]);
    if (argc > 2) return jc_cli_usage_error(NULL, "help takes one command");
    if (argc < 2 || strcmp(argv[1], help) == 0 || strcmp(argv[1], "help") == 0) return print_help();
    char *command_help[] = {argv[1], help, NULL};
    return run_command(2, command_help);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 1) return jc_cli_usage_error(NULL, "a command is missing; jacchain --help lists them");
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) return print_help();
    if (strcmp(argv[0], "help") == 0) return run_help(argc, argv);
    if (strcmp(argv[0], "--version") == 0) {
        printf("jacchain %s\n", jc_version());
        return JC_EXIT_DONE;
    }
    if (argv[0][0] == '-') return jc_cli_usage_error(NULL, "'%s' stands where a command is expected", argv[0]);
    return run_command(argc, argv);
}

/* With a standard stream closed, a file that is opened later would get its number, and what is said would go there. */
static void hold_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd) _exit(4);
    }
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    openblas_set_num_threads(1); /* this process is ours: jacchain's threads are outside of the products */
    signal(SIGPIPE, SIG_IGN);    /* a reader that has gone is a write error: exit code 4 */
    jc_cli_catch_shrunk_files();
    int code = dispatch(argc - 1, argv + 1);
    if (code == JC_EXIT_DONE || code == JC_EXIT_CHECK) {
        int flushed = jc_cli_flush();
        if (flushed != JC_EXIT_DONE) code = flushed;
    }
    return code;
}
