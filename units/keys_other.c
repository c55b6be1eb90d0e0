/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Rows of [Volume], [Network], [Image], [Quadlet] and [Install]. */
#include "units/keys_tables.h"

#define V(name, type, verdict, field, arg, preset, help)                                          \
	KEY_ROW(name, VOLUME, type, verdict, FOR_QUADLET, struct unit_volume, field, #field, arg, \
		preset, help)
#define V_NO(name, verdict, help) KEY_NO(name, VOLUME, verdict, FOR_QUADLET, help)

static const struct key volume_rows[] = {
	V("VolumeName", NAME, MUST, volume_name, NULL, "systemd-<file>",
	  "name of the volume in the store"),
	V("Label", LABELS, SHOULD, labels, NULL, "", "labels, NAME=value"),
	V("Driver", CHOICE, SHOULD, driver, "local", "local", "who keeps it"),
	V_NO("Image", LATER, "a volume made from an image"),
	V("Device", TEXT, SHOULD, device, NULL, "",
	  "device or directory that is mounted as the volume"),
	V("Type", TEXT, SHOULD, type, NULL, "",
	  "type of that file system: ext4, bind, tmpfs; needs Device="),
	V("Options", TEXT, SHOULD, options, NULL, "", "options of that mount; needs Device="),
	V("Copy", BOOL, SHOULD, copy, NULL, "true",
	  "an empty volume gets the image's content of the place it is mounted at"),
	V("UID", INT, SHOULD, uid, "0 4294967294", "0", "owner of the volume's directory"),
	V("GID", INT, SHOULD, gid, "0 4294967294", "0", "group of the volume's directory"),
	V_NO("User", LATER, "use UID="),
	V_NO("Group", LATER, "use GID="),
	V("ServiceName", NAME, MUST, service_name, NULL, "<file>-volume",
	  "name of the service, without .service"),
	V_NO("PodmanArgs", REFUSED, "there is no podman here; write the settings as keys"),
	V_NO("GlobalArgs", REFUSED, "there is no podman here; remove it"),
	V_NO("ContainersConfModule", REFUSED,
	     "there is no containers.conf here; write the settings as keys"),
};

#define N(name, type, verdict, field, arg, preset, help)                                       \
	KEY_ROW(name, NETWORK, type, verdict, FOR_QUADLET, struct unit_network, field, #field, \
		arg, preset, help)
#define N_NO(name, verdict, help) KEY_NO(name, NETWORK, verdict, FOR_QUADLET, help)

static const struct key network_rows[] = {
	N("NetworkName", NAME, MUST, network_name, NULL, "systemd-<file>", "name of the network"),
	N("Driver", CHOICE, MUST, driver, "bridge macvlan ipvlan", "bridge",
	  "sort of network; with macvlan and ipvlan the members stand on the LAN of Options=parent="),
	N("Subnet", SUBNETS, MUST, subnet, NULL, "a free one, kept for ever",
	  "subnet such as 10.89.1.0/24; a member has an address of each; pairs by position with Gateway= and IPRange="),
	N("Gateway", IPS, MUST, gateway, NULL, "the subnet's first address",
	  "address of the host on it; needs Subnet="),
	N("IPRange", IP_RANGES, SHOULD, ip_range, NULL, "the subnet",
	  "addresses to give out: CIDR or FIRST-LAST"),
	N("Internal", BOOL, MUST, internal, NULL, "false", "no way out of the host"),
	N("IPv6", BOOL, SHOULD, ipv6, NULL, "false", "IPv6 beside IPv4"),
	N("DisableDNS", BOOL, MUST, disable_dns, NULL, "false",
	  "members do not know one another's names"),
	N("DNS", IPS, SHOULD, dns, NULL, "the host's", "addresses of name servers for its members"),
	N("InterfaceName", TEXT, SHOULD, interface_name, NULL, "made from the name",
	  "name of the bridge on the host, at most 15 characters"),
	N_NO("IPAMDriver", LATER, "addresses are leased by orlop"),
	N("Options", OPTIONS, SHOULD, options, NULL, "",
	  "settings: isolate=, mtu=, vlan= (the bridge's VLAN that the members are in), parent=, mode="),
	N("Label", LABELS, SHOULD, labels, NULL, "", "labels, NAME=value"),
	N("NetworkDeleteOnStop", BOOL, SHOULD, network_delete_on_stop, NULL, "false",
	  "bridge, rules and name server are there only while the unit is up"),
	N("ServiceName", NAME, MUST, service_name, NULL, "<file>-network",
	  "name of the service, without .service"),
	N_NO("PodmanArgs", REFUSED, "there is no podman here; write the settings as keys"),
	N_NO("GlobalArgs", REFUSED, "there is no podman here; remove it"),
	N_NO("ContainersConfModule", REFUSED,
	     "there is no containers.conf here; write the settings as keys"),
};

#define I(name, type, verdict, field, arg, preset, help)                                        \
	KEY_ROW(name, IMAGE, type, verdict, FOR_QUADLET, struct unit_image, field, #field, arg, \
		preset, help)
#define I_NO(name, verdict, help) KEY_NO(name, IMAGE, verdict, FOR_QUADLET, help)

static const struct key image_rows[] = {
	I("Image", IMAGE, MUST, image, NULL, "", "reference of the image"),
	I("ImageTag", TEXT, SHOULD, image_tag, NULL, "Image=", "name by which other units know it"),
	I("AuthFile", PATH, SHOULD, auth_file, NULL, "", "file with credentials for registries"),
	I("Creds", TEXT, SHOULD, creds, NULL, "",
	  "USER:PASSWORD for the registry, readable by whoever reads the unit"),
	I("CertDir", PATH, SHOULD, cert_dir, NULL, "",
	  "directory with certificates for the registry"),
	I("TLSVerify", BOOL, SHOULD, tls_verify, NULL, "true", "check the registry's certificate"),
	I("Arch", TEXT, SHOULD, arch, NULL, "the host's", "architecture to pull"),
	I_NO("OS", LATER, "operating system to pull"),
	I_NO("Variant", LATER, "variant of the architecture to pull"),
	I("Policy", CHOICE, SHOULD, policy, "always missing never newer", "missing",
	  "when to pull"),
	I("Retry", INT, SHOULD, retry, "0 2147483647", "3",
	  "how often a failed pull is tried again"),
	I("RetryDelay", DURATION, SHOULD, retry_delay, NULL, "", "time between two tries"),
	I_NO("AllTags", REFUSED, "name the one image that is needed"),
	I_NO("DecryptionKey", REFUSED, "encrypted images are not supported"),
	I("ServiceName", NAME, MUST, service_name, NULL, "<file>-image",
	  "name of the service, without .service"),
	I_NO("PodmanArgs", REFUSED, "there is no podman here; write the settings as keys"),
	I_NO("GlobalArgs", REFUSED, "there is no podman here; remove it"),
	I_NO("ContainersConfModule", REFUSED,
	     "there is no containers.conf here; write the settings as keys"),
};

#define U(name, section, type, verdict, field, json, arg, preset, help) \
	KEY_ROW(name, section, type, verdict, FOR_ALL, struct unit, field, json, arg, preset, help)

static const struct key quadlet_rows[] = {
	U("DefaultDependencies", QUADLET, BOOL, MUST, default_dependencies, NULL, NULL, "true",
	  "wait for network-online.target, and want it"),
};

static const struct key install_rows[] = {
	U("WantedBy", INSTALL, UNIT_NAMES, MUST, wanted_by, NULL, NULL, "",
	  "units that want this one; default.target or multi-user.target: start at boot"),
	U("RequiredBy", INSTALL, UNIT_NAMES, MUST, required_by, NULL, NULL, "",
	  "units that require this one"),
	U("UpheldBy", INSTALL, UNIT_NAMES, SHOULD, upheld_by, NULL, NULL, "",
	  "units that keep this one running"),
	U("Alias", INSTALL, WORDS, SHOULD, alias, NULL, NULL, "", "more names for the service"),
	U("DefaultInstance", INSTALL, TEXT, SHOULD, default_instance, NULL, NULL, "",
	  "instance of a template that is made when none is named"),
	KEY_NO("Also", INSTALL, NO_EFFECT, FOR_ALL,
	       "every unit with an [Install] section is enabled"),
};

const struct key_table keys_volume = {volume_rows, ARRAY_LEN(volume_rows)};
const struct key_table keys_network = {network_rows, ARRAY_LEN(network_rows)};
const struct key_table keys_image = {image_rows, ARRAY_LEN(image_rows)};
const struct key_table keys_quadlet = {quadlet_rows, ARRAY_LEN(quadlet_rows)};
const struct key_table keys_install = {install_rows, ARRAY_LEN(install_rows)};
