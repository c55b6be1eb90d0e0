/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629): how long a valid character is, and nothing more. */
#pragma once

#include <stddef.h>

/* Bytes (1 to 4) of the character at s, of which `left` bytes may be read; 0 if it is not valid
 * UTF-8: overlong, a surrogate, past U+10FFFF, cut off. A NUL byte is a valid character here. */
size_t utf8_char(const char *s, size_t left);
