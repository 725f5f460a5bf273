#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool jc_cli_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (no_colour && *no_colour) return false;
    return isatty(fileno(stream)) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

static void say_error(const char *command, const char *sentence)
{
    bool colour = jc_cli_colour(stderr);
    fprintf(stderr, "%sjacchain%s%s:%s %s\n", colour ? "\033[31m" : "", command ? " " : "", command ? command : "",
            colour ? "\033[0m" : "", sentence);
}

int jc_cli_usage_error(const char *command, const char *format, ...)
{
    char sentence[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    say_error(command, sentence);
    fprintf(stderr, "Try 'jacchain %s%s--help'.\n", command ? command : "", command ? " " : "");
    return JC_EXIT_USAGE;
}

int jc_cli_not_yet(const char *command, const char *format, ...)
{
    char what[1024], sentence[1100];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(sentence, sizeof sentence, "%s is not there yet", what);
    say_error(command, sentence);
    return JC_EXIT_USAGE;
}

int jc_cli_failed(jc_status status)
{
    const char *sentence = jc_last_error();
    say_error(NULL, *sentence ? sentence : jc_status_text(status));
    return jc_status_exit_code(status);
}

int jc_cli_flush(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return JC_EXIT_DONE;
    return jc_cli_failed(jc_fail(JC_E_OUTPUT, "standard output cannot be written: %s", strerror(errno ? errno : EIO)));
}

void jc_cli_narrate(bool quiet, const char *format, ...)
{
    if (quiet) return;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}
