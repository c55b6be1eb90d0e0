/* SPDX-License-Identifier: Apache-2.0 */
/* The power button: an orderly power-off. Input devices that have one are watched; a machine without one has none. */
#pragma once

void power_button_open(void);
