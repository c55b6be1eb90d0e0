/* SPDX-License-Identifier: Apache-2.0 */
/* How the rows of the key tables are written; private to units/keys*.c. */
#pragma once

#include "base/cleanup.h"
#include "units/keys.h"
#include "units/unit.h"

/* clang-format off */
#define KEY_ROW(name, section, type, verdict, kinds, object, field, json, arg, preset, help) \
	{name, SECTION_##section, TYPE_##type, KEY_##verdict, kinds, offsetof(object, field), json, arg, preset, help}
#define KEY_NO(name, section, verdict, kinds, help) \
	{name, SECTION_##section, TYPE_NONE, KEY_##verdict, kinds, 0, NULL, NULL, "", help}
/* clang-format on */

extern const struct key_table keys_container, keys_pod, keys_volume, keys_network, keys_image,
	keys_quadlet, keys_unit, keys_service, keys_install;
