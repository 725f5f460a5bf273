/* Memory, time, and quantities as text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/common.h"

void *jc_cli_alloc(int64_t count, size_t element_bytes)
{
    size_t bytes;
    void *memory = NULL;
    if (!__builtin_mul_overflow(count, element_bytes, &bytes)) memory = calloc(1, bytes ? bytes : 1);
    if (memory) return memory;
    exit(
        jc_cli_failed(jc_fail(JC_E_MEMORY, "not enough memory for %lld x %zu bytes", (long long)count, element_bytes)));
}

double jc_cli_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *jc_cli_bytes_text(int64_t bytes, char text[JC_QUANTITY_BYTES])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(text, JC_QUANTITY_BYTES, "%lld bytes", (long long)bytes);
        return text;
    }
    double value = (double)bytes / 1024;
    int unit = 0;
    for (; value >= 1023.95 && unit < 5; unit++) value /= 1024;
    snprintf(text, JC_QUANTITY_BYTES, "%.*f %s", value < 9.995 ? 2 : 1, value, units[unit]);
    return text;
}

const char *jc_cli_seconds_text(double seconds, char text[JC_QUANTITY_BYTES])
{
    if (seconds >= 1)
        snprintf(text, JC_QUANTITY_BYTES, "%.3g s", seconds);
    else if (seconds >= 1e-3)
        snprintf(text, JC_QUANTITY_BYTES, "%.3g ms", seconds * 1e3);
    else
        snprintf(text, JC_QUANTITY_BYTES, "%.3g us", seconds * 1e6);
    return text;
}

const char *jc_cli_count_text(int64_t count, char text[JC_QUANTITY_BYTES])
{
    char digits[24];
    size_t n = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)count), used = 0;
    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0 && digits[i - 1] != '-') text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

const char *jc_cli_graph_size_text(int64_t n_variables, int64_t n_edges, char text[JC_GRAPH_SIZE_BYTES])
{
    char n[JC_QUANTITY_BYTES], m[JC_QUANTITY_BYTES];
    snprintf(text, JC_GRAPH_SIZE_BYTES, "%s variable%s, %s edge%s", jc_cli_count_text(n_variables, n),
             n_variables == 1 ? "" : "s", jc_cli_count_text(n_edges, m), n_edges == 1 ? "" : "s");
    return text;
}

const char *jc_cli_rate_text(double count, double seconds, const char *unit, char text[JC_QUANTITY_BYTES])
{
    static const char prefixes[] = " kMGTPE";
    double rate = seconds > 0 ? count / seconds : 0;
    int prefix = 0;
    for (; rate >= 999.5 && prefixes[prefix + 1]; prefix++) rate /= 1000;
    snprintf(text, JC_QUANTITY_BYTES, "%.3g %.*s%s/s", rate, prefix > 0, &prefixes[prefix], unit);
    return text;
}

int jc_cli_text_width(const char *text)
{
    int n = 0;
    for (; *text; text++) n += (*text & 0xc0) != 0x80;
    return n;
}

bool jc_cli_ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}
