/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket /run/orlop/control: SOCK_SEQPACKET, one frame a packet. Everybody on the host may connect and
 * look, root may change things (SO_PEERCRED; a container's root is not the host's).
 *
 * control_virtio_open() serves the same on the virtio-serial port that is called org.orlop.control, whenever the
 * kernel announces it. Whoever holds its other end holds the machine.
 */
#pragma once

#include "base/fail.h"

int control_open(struct fail *f);

/* Revival: the listening socket, and of those who were connected the ones that client.h names. */
struct vault_writer;
void control_save(struct vault_writer *w);
int control_restore(char *const *args, struct fail *f);
int control_restore_client(char *const *args, struct fail *f);
int control_restore_port(char *const *args, struct fail *f);

int control_virtio_open(struct fail *f);
struct client *control_port(void); /* NULL: there is none */
