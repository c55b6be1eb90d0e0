/* SPDX-License-Identifier: Apache-2.0 */
/* The version of the whole tree: all programs are built and installed together. */
#pragma once

#define ORLOP_VERSION "0.1.0"
