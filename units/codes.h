/* SPDX-License-Identifier: Apache-2.0 */
/* What kinds of mistakes there are. A code keeps its meaning for ever; gaps are for what is to come. */
#pragma once

/* The file and its lines. */
#define U_UNREADABLE    "U001"
#define U_LIMIT         "U002"
#define U_LINE          "U003" /* neither a section header nor Key=value */
#define U_HEADER        "U004"
#define U_NO_SECTION    "U005" /* a key before the first section header */
#define U_CHARACTER     "U006" /* a control character */
#define U_UTF8          "U007"
#define U_CONTINUATION  "U008"
#define U_FILE_NAME     "U009"
/* Sections and keys. */
#define U_SECTION       "U010"
#define U_MISSING_PART  "U011" /* no [Container] in a .container file */
#define U_UNKNOWN_KEY   "U012"
#define U_WRONG_SECTION "U013"
#define U_LATER         "U014" /* not supported yet */
#define U_REFUSED       "U015"
#define U_NO_EFFECT     "U016"
/* Values. */
#define U_BOOL          "U020"
#define U_NUMBER        "U021"
#define U_SIZE          "U022"
#define U_DURATION      "U023"
#define U_CHOICE        "U024"
#define U_PORT          "U025"
#define U_ADDRESS       "U026"
#define U_NAME          "U027"
#define U_PATH          "U028"
#define U_ESCAPE        "U029"
#define U_QUOTE         "U030"
#define U_SPECIFIER     "U031"
#define U_VARIABLE      "U032"
#define U_SIGNAL        "U033"
#define U_EXIT_STATUS   "U034"
#define U_CAPABILITY    "U035"
#define U_VOLUME        "U036"
#define U_NETWORK       "U037"
#define U_USER          "U038"
#define U_ID_MAP        "U039"
#define U_PAIR          "U040"
#define U_DEVICE        "U041"
#define U_LIMIT_VALUE   "U042" /* Ulimit=, Limit*= */
#define U_SECRET        "U043"
#define U_COMMAND       "U044"
#define U_IMAGE         "U045"
#define U_HOST          "U046" /* AddHost= */
#define U_OPTION        "U047" /* PodmanArgs= */
/* Several keys together. */
#define U_CONFLICT      "U050"
#define U_REQUIRED      "U051" /* a key that must be there */
#define U_NO_UNIT       "U052" /* names a unit that does not exist */
#define U_SELF          "U053"
#define U_CYCLE         "U054"
#define U_SAME_NAME     "U055" /* two units with one service, container, network... name */
#define U_SAME_PORT     "U056"
#define U_TEMPLATE      "U057"
#define U_ENV_FILE      "U058"
#define U_MASKS         "U059" /* a broken file hides a good one */
