/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits on what somebody else controls, each with its reason, in one place.
 */
#pragma once

/* Unit files. systemd's own line limit is 1 MiB; real files stay below 10 KiB. */
#define LIMIT_UNIT_FILE      (1u << 20)
#define LIMIT_UNIT_LINE      (64u << 10) /* one logical line, continuations joined */
#define LIMIT_UNIT_KEYS      4096u
#define LIMIT_UNIT_NAME      200u /* NAME_MAX is 255; room for suffixes such as "-volume.service" */
#define LIMIT_UNITS          65536u
#define LIMIT_TRANSIENT      512u /* units that commands made; each is read at every new one */
#define LIMIT_TRANSIENT_TEXT (60u << 10) /* of one; what a request has room for */
/* What one unit may ask for. Each bounds something that would grow with the square of a file, or far beyond
 * its size; real units stay a hundred times below. */
#define LIMIT_UNIT_WORDS     4096u       /* words in all its lists */
#define LIMIT_UNIT_PORTS     65536u      /* ports that its PublishPort= ranges stand for */
#define LIMIT_UNIT_EXPANDED  (1u << 20)  /* bytes that variables and specifiers fill in */
#define LIMIT_UNIT_MISTAKES  100u        /* that are told; the others are counted */
#define LIMIT_UNIT_INSTANCES 1024u       /* that a template has because other units name them */
#define LIMIT_UNITS_BYTES    (64u << 20) /* all files together: 10,000 of 6 KiB */
#define LIMIT_UNIT_DISKS     64u   /* that one IO...Max= is about: each is a write at every start */
#define LIMIT_UNIT_GUESSES   1000u /* "did you mean" for names of units, in one load */

/* A spec: environment and arguments fit into what execve takes (ARG_MAX is 2 MiB by default). */
#define LIMIT_SPEC (2u << 20)

/* Control clients. A request is a handful of words. */
#define LIMIT_FRAME           (64u << 10)
#define LIMIT_CLIENTS         64u
#define LIMIT_CLIENT_IDLE_SEC 5u         /* a client that sends nothing is cut */
#define LIMIT_CLIENT_QUEUE    (1u << 20) /* bytes that wait for a client that does not read */

/* Image archives and the layers in them; import's --max-* options override the last three. */
#define LIMIT_IMAGE_JSON    (4u << 20) /* an index, manifest or config; registries take 4 MiB too */
#define LIMIT_IMAGE_MEMBERS 65536u     /* files in an archive */
#define LIMIT_IMAGE_LAYERS  128u       /* what other engines allow; overlayfs could do 500 */
#define LIMIT_IMAGE_COUNT   64u        /* images in one archive */
#define LIMIT_ENTRY_PATH    4095u      /* PATH_MAX without its NUL */
#define LIMIT_ENTRY_NAME    255u       /* NAME_MAX */
#define LIMIT_ENTRY_DEPTH   256u       /* directories; removal takes an fd for each level */
#define LIMIT_ENTRY_XATTRS \
	(256u << 10) /* names and values of one entry; one value is 64 KiB at most */
#define LIMIT_IMAGE_BYTES   (32ull << 30)
#define LIMIT_IMAGE_ENTRIES 2000000ull /* the largest images in use have about 400,000 */
#define LIMIT_IMAGE_RATIO   250ull /* unpacked to packed, beyond 64 MiB; real layers stay below 50 */
