/* SPDX-License-Identifier: Apache-2.0 */
/* Classic BPF as the kernel runs it, for what system call filters have of it. */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* The verdict; a program that is not right fails the test. */
uint32_t interpret(const struct sock_filter *program, size_t n, const struct seccomp_data *data);
