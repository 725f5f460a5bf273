/* Characters of UTF-8 text (RFC 3629). */
#ifndef JC_CORE_UTF8_H
#define JC_CORE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decodes the character that text, ended by NUL, begins with: returns its bytes, 1 to 4; 0: it is not valid. */
size_t jc_utf8_decode(const char *text, uint32_t *code);

#endif
