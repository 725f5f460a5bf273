#include "core/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 2048, PART_BYTES = 256 };

static _Thread_local char last_message[MESSAGE_BYTES];
static _Thread_local char last_part[PART_BYTES];
static _Thread_local int64_t last_member = -1;

/* What is shown to people comes from files too: control characters (a terminal obeys some) become '?', and a character
 * of several bytes that did not fit is taken off the end. */
static void tidy(char *message)
{
    size_t n = strlen(message);
    if (n == MESSAGE_BYTES - 1) {
        while (n > 0 && ((unsigned char)message[n - 1] & 0xC0) == 0x80) n--;
        if (n > 0 && (unsigned char)message[n - 1] >= 0xC0) n--;
        message[n] = '\0';
    }
    for (unsigned char *c = (unsigned char *)message; *c; c++) {
        bool c1 = c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0; /* U+0080 to U+009F */
        if (*c < 0x20 || *c == 0x7F || c1) *c = '?';
        if (c1) *++c = '?';
    }
}

static void record(const char *part, int64_t member, const char *format, va_list args)
{
    char message[MESSAGE_BYTES]; /* the arguments may point into last_message */
    vsnprintf(message, sizeof message, format, args);
    tidy(message);
    memcpy(last_message, message, sizeof message);
    snprintf(last_part, sizeof last_part, "%s", part ? part : "");
    last_member = member;
}

jc_status jc_fail(jc_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(NULL, -1, format, args);
    va_end(args);
    return status;
}

jc_status jc_fail_at(jc_status status, const char *part, int64_t member, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(part, member, format, args);
    va_end(args);
    return status;
}

const char *jc_fail_part(void)
{
    return last_part;
}

int64_t jc_fail_member(void)
{
    return last_member;
}

jc_status jc_fail_prefix(jc_status status, const char *format, ...)
{
    char old[MESSAGE_BYTES], prefix[MESSAGE_BYTES];
    memcpy(old, last_message, sizeof old);
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    size_t used = (size_t)snprintf(last_message, sizeof last_message, "%s", prefix);
    if (used < sizeof last_message) snprintf(last_message + used, sizeof last_message - used, "%s", old);
    tidy(last_message);
    last_part[0] = '\0';
    last_member = -1;
    return status;
}

const char *jc_last_error(void)
{
    return last_message;
}

#define STATUS_NAME(name, code, text) "JC_" #name,
#define STATUS_TEXT(name, code, text) text,
#define STATUS_CODE(name, code, text) code,
static const char *const status_names[] = {JC_STATUS_MAP(STATUS_NAME)};
static const char *const status_texts[] = {JC_STATUS_MAP(STATUS_TEXT)};
static const int status_codes[] = {JC_STATUS_MAP(STATUS_CODE)};
enum { N_STATUS = sizeof status_codes / sizeof status_codes[0] };

const char *jc_status_name(jc_status status)
{
    return (unsigned)status < N_STATUS ? status_names[status] : "JC_?";
}

const char *jc_status_text(jc_status status)
{
    return (unsigned)status < N_STATUS ? status_texts[status] : "an unknown status";
}

int jc_status_exit_code(jc_status status)
{
    return (unsigned)status < N_STATUS ? status_codes[status] : 4;
}

const char *jc_version(void)
{
    return JACCHAIN_VERSION;
}
